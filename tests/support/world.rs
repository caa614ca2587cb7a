//! Snapshots of everything a tank can leave on a machine: mounts, cgroups, processes, what belongs
//! to its network, files. The difference of two shows what a command made, or failed to remove.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::namespace::Namespace;
use super::netlink::{self, Link, Table};
use super::record::Record;

/// Which part of the machine belongs to one tank: tests run side by side, so a snapshot must not
/// see what another test's tank does.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// `--root` and `--run-root`.
    roots: [PathBuf; 2],
    /// Every instance id seen so far: they name directories and cgroups.
    ids: BTreeSet<String>,
    /// The cgroups of these instances, and those above them that are tank's.
    cgroups: BTreeSet<PathBuf>,
    /// The network namespace that the tank runs in, unless it is the test's.
    inside: Option<Namespace>,
}

impl Scope {
    pub(crate) fn new(root: &Path, run_root: &Path, inside: Option<Namespace>) -> Self {
        let roots = [root.to_owned(), run_root.to_owned()];
        Self { roots, inside, ..Self::default() }
    }

    /// How everything of this root is called on the machine: `tank-` and the FNV-1a hash of its
    /// path.
    pub(crate) fn base(&self) -> String {
        let path = self.roots[0].as_os_str().as_encoded_bytes();
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        format!("tank-{:016x}", path.iter().fold(0xcbf2_9ce4_8422_2325, step))
    }

    fn within<T: Send>(&self, look: impl FnOnce() -> T + Send) -> T {
        match &self.inside {
            Some(namespace) => namespace.within(look),
            None => look(),
        }
    }

    /// The network interfaces of this root: what is written on them begins with its path, or one
    /// has the name of its bridge.
    pub(crate) fn links(&self) -> Vec<Link> {
        let owner = self.owner();
        let bridge = self.base()[.."tank-".len() + 8].to_owned();
        let is_own = |link: &Link| {
            link.name == bridge
                || link.alias == owner
                || link.alias.starts_with(&format!("{owner} "))
        };
        self.within(netlink::links).into_iter().filter(is_own).collect()
    }

    /// The tables of packet filters that are named after this root.
    pub(crate) fn tables(&self) -> Vec<Table> {
        let base = self.base();
        self.within(netlink::tables).into_iter().filter(|table| table.name == base).collect()
    }

    /// The names for ip-netns(8) that are of this root.
    pub(crate) fn names(&self) -> Vec<PathBuf> {
        let (named, prefix) = (Path::new("/run/netns"), format!("{}-", self.base()));
        let is_own = |name: &String| {
            let to = fs::read_link(named.join(name));
            name.starts_with(&prefix) || to.is_ok_and(|to| to.starts_with(&self.roots[1]))
        };
        entries(named).into_iter().filter(is_own).map(|name| named.join(name)).collect()
    }

    /// What interfaces say of whose they are, and what the record of the machine does.
    pub(crate) fn owner(&self) -> String {
        format!("tank {}", self.roots[0].display())
    }

    /// The record of the machine's network.
    pub(crate) fn record(&self) -> Record {
        self.within(Record::here)
    }

    /// Takes note of the instances and cgroups that are there now, so that they are
    /// recognised after the files that tie them to this tank are gone.
    pub(crate) fn learn(&mut self) {
        for root in &self.roots {
            self.ids.extend(entries(&root.join("containers")));
        }
        for cgroup in all_cgroups() {
            if self.ids.iter().any(|id| names(&cgroup, id)) {
                let ours = cgroup.ancestors().filter(|above| last_part(above).contains("tank"));
                self.cgroups.extend(ours.map(Path::to_owned));
                self.cgroups.insert(cgroup);
            }
        }
    }

    /// Whether a text (a path, mount options, a command line) names one of the roots.
    fn mentions(&self, text: &str) -> bool {
        self.roots.iter().any(|root| text.contains(root.to_str().unwrap()))
    }

    /// Whether the process works for this tank: by its command line or environment, by a file it
    /// holds open, or by its cgroup, which is that of a container or of those that watch them.
    fn owns_process(&self, proc: &Path) -> bool {
        let read = |file| {
            String::from_utf8_lossy(&fs::read(proc.join(file)).unwrap_or_default()).into_owned()
        };
        let cgroup = read("cgroup");
        // What has ended only waits to be reaped, by its parent or by the first process.
        let ended =
            read("stat").rsplit(") ").next().is_some_and(|rest| rest.starts_with(['Z', 'X']));
        if ended {
            return false;
        }
        self.mentions(&read("cmdline"))
            || self.mentions(&read("environ"))
            || self.ids.iter().any(|id| cgroup.contains(id.as_str()))
            || cgroup.contains(&format!("/{}/monitors", self.base()))
            || entries(&proc.join("fd")).iter().any(|fd| {
                fs::read_link(proc.join("fd").join(fd))
                    .is_ok_and(|file| self.roots.iter().any(|root| file.starts_with(root)))
            })
    }

    /// The cgroups that the pods of a tank share.
    pub(crate) fn shared_cgroups(&self) -> Vec<PathBuf> {
        let is_shared = |cgroup: &&PathBuf| last_part(cgroup).starts_with("tank-");
        self.cgroups.iter().filter(is_shared).cloned().collect()
    }

    /// A cgroup above the instances may be shared with other tanks: it is left over only when
    /// nothing else is in it.
    fn is_left_over(&self, cgroup: &Path) -> bool {
        self.ids.iter().any(|id| names(cgroup, id)) || child_cgroups(cgroup).is_empty()
    }
}

/// What there is of one tank at one moment, each thing as a line of text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct World {
    /// Mounts in this mount namespace.
    pub(crate) mounts: BTreeSet<String>,
    /// Control groups, over all hierarchies.
    pub(crate) cgroups: BTreeSet<PathBuf>,
    /// Processes, as `PID command line`.
    pub(crate) processes: BTreeSet<(u32, String)>,
    /// What there is of its network: interfaces, tables of packet filters, names under
    /// `/run/netns`, and the record of changed kernel parameters.
    pub(crate) network: BTreeSet<String>,
    /// Files and directories under both roots.
    pub(crate) files: BTreeSet<PathBuf>,
}

impl World {
    /// Looks at the machine. The test's own process and its helpers are not part of it.
    pub(crate) fn of(scope: &mut Scope) -> Self {
        scope.learn();
        let scope = &*scope;
        let mounts = mounts().into_iter().filter(|mount| scope.mentions(&mount.line));
        let cgroups = scope.cgroups.iter().filter(|cgroup| cgroup.is_dir());
        Self {
            mounts: mounts.map(|mount| mount.line).collect(),
            cgroups: cgroups.filter(|cgroup| scope.is_left_over(cgroup)).cloned().collect(),
            processes: processes(scope),
            network: network(scope),
            files: scope.roots.iter().flat_map(|root| tree(root)).collect(),
        }
    }

    /// What differs from an earlier snapshot, a line each: `+` is new, `-` is gone.
    pub(crate) fn since(&self, before: &Self) -> Vec<String> {
        let processes =
            |world: &Self| world.processes.iter().map(|(pid, c)| format!("{pid} {c}")).collect();
        let paths = |set: &BTreeSet<PathBuf>| set.iter().map(|p| p.display().to_string()).collect();
        let mut lines = Vec::new();
        let mut compare = |kind: &str, now: BTreeSet<String>, then: BTreeSet<String>| {
            lines.extend(now.difference(&then).map(|line| format!("+ {kind} {line}")));
            lines.extend(then.difference(&now).map(|line| format!("- {kind} {line}")));
        };
        compare("mount", self.mounts.clone(), before.mounts.clone());
        compare("cgroup", paths(&self.cgroups), paths(&before.cgroups));
        compare("process", processes(self), processes(before));
        compare("network", self.network.clone(), before.network.clone());
        compare("file", paths(&self.files), paths(&before.files));
        lines
    }

    /// The same without the files: what a running pod occupies of the machine.
    pub(crate) fn without_files(mut self) -> Self {
        self.files.clear();
        self
    }
}

/// One line of mountinfo, see proc_pid_mountinfo(5).
struct Mount {
    target: String,
    kind: String,
    line: String,
}

fn mounts() -> Vec<Mount> {
    let table = fs::read_to_string("/proc/self/mountinfo").expect("mountinfo");
    let parse = |line: &str| {
        let field = |n: usize| line.split(' ').nth(n).unwrap().to_owned();
        let kind = line.split(" - ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        Mount { target: field(4), kind, line: line.to_owned() }
    };
    table.lines().map(parse).collect()
}

fn network(scope: &Scope) -> BTreeSet<String> {
    let links =
        scope.links().into_iter().map(|link| format!("link {} {:?}", link.name, link.alias));
    let tables = scope.tables().into_iter().map(|t| format!("table {} {}", t.family, t.name));
    let names = scope.names().into_iter().map(|name| name.display().to_string());
    let record = scope.record();
    let recorded = record.has(&scope.owner()).then(|| format!("owner {}", scope.owner()));
    links.chain(tables).chain(names).chain(recorded).collect()
}

fn processes(scope: &Scope) -> BTreeSet<(u32, String)> {
    let mut found = BTreeSet::new();
    for pid in entries(Path::new("/proc")).iter().filter_map(|name| name.parse::<u32>().ok()) {
        let proc = Path::new("/proc").join(pid.to_string());
        // A thread or child of the test itself may hold files under the roots for a moment.
        if pid != std::process::id() && scope.owns_process(&proc) {
            let shown = fs::read(proc.join("cmdline")).unwrap_or_default();
            found.insert((
                pid,
                String::from_utf8_lossy(&shown).replace('\0', " ").trim().to_owned(),
            ));
        }
    }
    found
}

/// Every control group of every mounted hierarchy, versions 1 and 2.
fn all_cgroups() -> BTreeSet<PathBuf> {
    let mut pending: Vec<_> = mounts()
        .into_iter()
        .filter(|mount| mount.kind.starts_with("cgroup"))
        .map(|mount| PathBuf::from(mount.target))
        .collect();
    let mut found = BTreeSet::new();
    while let Some(cgroup) = pending.pop() {
        pending.extend(child_cgroups(&cgroup));
        found.insert(cgroup);
    }
    found
}

fn child_cgroups(cgroup: &Path) -> Vec<PathBuf> {
    entries(cgroup).into_iter().map(|name| cgroup.join(name)).filter(|path| path.is_dir()).collect()
}

/// Whether a part of the path carries the id.
fn names(path: &Path, id: &str) -> bool {
    path.iter().any(|part| part.to_string_lossy().contains(id))
}

fn last_part(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Names in a directory; none when it is not there.
fn entries(dir: &Path) -> Vec<String> {
    let read = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    read.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Every path under a directory, not following links nor crossing into mounts.
fn tree(dir: &Path) -> Vec<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let device = fs::symlink_metadata(dir).map(|meta| meta.dev()).ok();
    let mut found = Vec::new();
    for path in entries(dir).into_iter().map(|name| dir.join(name)) {
        let meta = fs::symlink_metadata(&path).ok();
        if meta.is_some_and(|meta| meta.is_dir() && Some(meta.dev()) == device) {
            found.extend(tree(&path));
        }
        found.push(path);
    }
    found
}
