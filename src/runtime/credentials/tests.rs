use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;

use oci_spec::runtime::{PosixRlimitBuilder, PosixRlimitType, UserBuilder};

use super::*;
use crate::runtime::capabilities::{resolve, to_oci};
use crate::runtime::seccomp::{compile, default_profile};
use crate::sys::child;

/// What a test wants a process to be.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    ids: (u32, u32),
    additional: &'static [u32],
    add: &'static [&'static str],
    drop: &'static [&'static str],
    no_new_privileges: bool,
    filtered: bool,
}

const ROOT: Wanted = Wanted {
    ids: (0, 0),
    additional: &[],
    add: &[],
    drop: &[],
    no_new_privileges: true,
    filtered: true,
};

const TABLE: &[Wanted] = &[
    ROOT,
    Wanted { no_new_privileges: false, ..ROOT },
    Wanted { filtered: false, add: &["ALL"], ..ROOT },
    Wanted { filtered: false, no_new_privileges: false, drop: &["ALL"], ..ROOT },
    Wanted { ids: (1000, 0), ..ROOT },
    Wanted { ids: (101, 102), additional: &[29, 6, 102, 6], add: &["NET_RAW"], ..ROOT },
    Wanted { ids: (101, 102), no_new_privileges: false, drop: &["ALL"], ..ROOT },
    Wanted { ids: (2_147_483_647, 2_147_483_647), add: &["SYS_ADMIN"], ..ROOT },
];

impl Wanted {
    fn capabilities(&self) -> CapabilityMask {
        let (add, drop) = (self.add.iter().copied(), self.drop.iter().copied());
        mask(resolve(add, drop, own::bounding_set()).unwrap().capabilities)
    }

    fn credentials(&self) -> Credentials {
        let (add, drop) = (self.add.iter().copied(), self.drop.iter().copied());
        let capabilities = resolve(add, drop, own::bounding_set()).unwrap().capabilities;
        let user = UserBuilder::default()
            .uid(self.ids.0)
            .gid(self.ids.1)
            .additional_gids(self.additional.to_vec())
            .umask(0o027_u32);
        let limit = PosixRlimitBuilder::default().typ(PosixRlimitType::RlimitNofile);
        let mut process = Process::default();
        process
            .set_user(user.build().unwrap())
            .set_capabilities(Some(to_oci(&capabilities)))
            .set_no_new_privileges(Some(self.no_new_privileges))
            .set_oom_score_adj(Some(500))
            .set_rlimits(Some(vec![limit.soft(100_u64).hard(200_u64).build().unwrap()]));
        let profile = default_profile(&capabilities);
        Credentials::new(&process, self.filtered.then(|| compile(&profile).unwrap()))
    }

    /// Becomes it. What needs to be opened as root is opened before.
    fn become_it(&self) -> Vec<String> {
        let score = File::options().write(true).open("/proc/self/oom_score_adj").unwrap();
        let credentials = self.credentials();
        let notes = credentials.prepare(Some(score.as_fd())).unwrap();
        credentials.seal().unwrap();
        notes
    }

    /// The lines that /proc/self/status has to have.
    fn status(&self, permitted: CapabilityMask) -> BTreeMap<String, String> {
        let (uid, gid) = self.ids;
        let groups: BTreeSet<u32> = self.additional.iter().copied().chain([gid]).collect();
        let groups: Vec<String> = groups.iter().map(u32::to_string).collect();
        [
            ("Uid", [uid.to_string().as_str(); 4].join("\t")),
            ("Gid", [gid.to_string().as_str(); 4].join("\t")),
            ("Groups", groups.join(" ")),
            ("CapInh", format!("{:016x}", 0)),
            ("CapPrm", format!("{permitted:016x}")),
            ("CapEff", format!("{permitted:016x}")),
            ("CapBnd", format!("{:016x}", self.capabilities())),
            ("CapAmb", format!("{:016x}", 0)),
            ("NoNewPrivs", u8::from(self.no_new_privileges).to_string()),
            ("Seccomp", if self.filtered { "2" } else { "0" }.to_owned()),
            ("SigIgn", format!("{:016x}", 0)),
            ("SigBlk", format!("{:016x}", 0)),
            ("Umask", "0027".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// The lines of a status file whose names `wanted` has.
fn select(status: &str, wanted: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    status
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| wanted.contains_key(*name))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

#[test]
fn a_process_becomes_what_its_spec_says() {
    for wanted in TABLE {
        let output = child::output_of(|writer| {
            wanted.become_it();
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            writer.write_all(status.as_bytes()).unwrap();
        });
        let expected = wanted.status(wanted.capabilities());
        assert_eq!(select(&output, &expected), expected, "{wanted:?}");
    }
}

/// T-CAP-01: a program of another user than root gets no capabilities, one of root's gets no more
/// than the bounding set. It also shows that the filter lets a real program start.
#[test]
fn a_program_gets_no_more_than_that() {
    for wanted in TABLE {
        let output = child::output_of(|writer| {
            let arguments = ["/bin/cat", "/proc/self/status", "/proc/self/oom_score_adj"]
                .map(|text| CString::new(text).unwrap());
            nix::unistd::dup2_stdout(writer.as_fd()).unwrap();
            wanted.become_it();
            nix::unistd::execve::<_, CString>(&arguments[0], &arguments, &[]).unwrap();
        });
        let granted = if wanted.ids.0 == 0 { wanted.capabilities() } else { 0 };
        let expected = wanted.status(granted);
        assert_eq!(select(&output, &expected), expected, "{wanted:?}");
        assert!(output.ends_with("\n500\n"), "{output}");
    }
}

#[test]
fn limits_are_set_and_what_the_host_refuses_is_noted() {
    let output = child::output_of(|writer| {
        let limit = |typ, soft: u64, hard: u64| {
            PosixRlimitBuilder::default().typ(typ).soft(soft).hard(hard).build().unwrap()
        };
        let mut credentials = ROOT.credentials();
        credentials.limits = vec![
            limit(PosixRlimitType::RlimitCore, 0, 0),
            limit(PosixRlimitType::RlimitNofile, 64, u64::MAX),
        ];
        credentials.oom_score_adj = None;
        credentials.inheritable_or_ambient = 1;
        let notes = credentials.prepare(None).unwrap();
        credentials.seal().unwrap();
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        writer.write_all(format!("{limits}{}", notes.join("\n")).as_bytes()).unwrap();
    });
    let fields = |name: &str| -> Vec<String> {
        let line = output.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(fields("Max core file size")[..2], ["0", "0"]);
    // No host allows an unlimited number of open files: fs.nr_open is always finite.
    let hard = crate::runtime::rlimit::HostLimits::read().nofile.to_string();
    assert_eq!(fields("Max open files")[..2], ["64", &hard]);
    assert!(output.contains("for limit nofile"), "{output}");
    assert!(output.contains("ambient capabilities are never granted"), "{output}");
}

#[test]
fn the_session_keyring_is_new() {
    let session = || {
        let (get_id, session) = (libc::KEYCTL_GET_KEYRING_ID, libc::KEY_SPEC_SESSION_KEYRING);
        let arguments = [get_id.into(), libc::c_long::from(session).cast_unsigned(), 1, 0, 0, 0];
        child::call(libc::SYS_keyctl, arguments).unwrap()
    };
    let output = child::output_of(|writer| {
        let before = session();
        let notes = ROOT.credentials().prepare(None).unwrap();
        write!(writer, "{} {}", session() != before, notes.join("\n")).unwrap();
    });
    assert_eq!(output, "true OOM score 500 was not set: /proc is not available");
}

#[test]
fn a_user_id_that_means_no_change_is_refused() {
    let output = child::output_of(|writer| {
        let mut credentials = ROOT.credentials();
        credentials.uid = u32::MAX;
        let error = credentials.prepare(None).unwrap_err();
        write!(writer, "{error}: {}", error.source).unwrap();
    });
    assert_eq!(output, "cannot set the user: setresuid 4294967295: Invalid argument");
}

#[test]
fn what_the_process_does_not_have_cannot_be_set() {
    let output = child::output_of(|writer| {
        let credentials = ROOT.credentials();
        credentials.prepare(None).unwrap();
        own::set_capabilities(0, 0).unwrap();
        let error = credentials.seal().unwrap_err();
        write!(writer, "{:?} {}", error.step, error.source.is(libc::EPERM)).unwrap();
    });
    assert_eq!(output, "Capabilities true");
}
