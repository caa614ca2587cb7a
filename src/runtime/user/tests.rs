use std::os::unix::fs::symlink;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::sys::file;

const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\n\
    # a comment\n\
    1000:x:0:0:a name of digits:/evil:/bin/sh\n\
    web:x:101:102:web:/srv/web:/sbin/nologin\n\
    web:x:0:0:a second one:/evil:/bin/sh\n\
    huge:x:4294967296:0::/:/bin/sh\n\
    high:x:2147483648:0::/:/bin/sh\n\
    minus:x:-1:0::/:/bin/sh\n\
    tab:x:7:7::/a\tb:/bin/sh\n\
    short:x:8:8";
const GROUP: &[u8] = b"root:x:0:\nweb:x:102:\ndisk:x:6:root,web\n1000:x:0:\naudio:x:29:web\n\
    other:x:99:web2,we\nhigh:x:4294967295:web\n";

fn get(spec: &str) -> Result<User, Error> {
    resolve(spec, Some(PASSWD), Some(GROUP))
}

fn ids(spec: &str) -> (u32, u32, Vec<u32>) {
    let user = get(spec).unwrap();
    (user.uid, user.gid, user.groups)
}

#[test]
fn names_and_numbers_are_looked_up_in_the_image() {
    assert_eq!(ids(""), (0, 0, vec![0, 6]));
    assert_eq!(ids("root"), (0, 0, vec![0, 6]));
    assert_eq!(ids("web"), (101, 102, vec![6, 29, 102]));
    assert_eq!(ids("101"), (101, 102, vec![6, 29, 102]));
    assert_eq!(ids("00101"), (101, 102, vec![6, 29, 102]));
    assert_eq!(ids("web:"), (101, 102, vec![6, 29, 102]));
    assert_eq!(ids("web:audio"), (101, 29, vec![29]));
    assert_eq!(ids("web:5"), (101, 5, vec![5]));
    assert_eq!(ids(":audio"), (0, 29, vec![29]));
    assert_eq!(get("web").unwrap().home, "/srv/web");
    assert_eq!(get("").unwrap().home, "/root");
}

/// T-USER-01
#[test]
fn a_number_is_a_number_even_if_a_user_has_such_a_name() {
    let user = get("1000").unwrap();
    assert_eq!(user, User { uid: 1000, gid: 0, groups: vec![0], home: "/".into() });
    assert_eq!(ids("5:1000"), (5, 1000, vec![1000]));
}

#[test]
fn a_number_needs_no_files() {
    let user = resolve("2147483647:2147483647", None, None).unwrap();
    assert_eq!((user.uid, user.gid), (MAX_ID, MAX_ID));
    assert_eq!(resolve("", None, None).unwrap().uid, 0);
}

#[test]
fn what_cannot_be_resolved_is_never_root() {
    let range = [
        "2147483648",
        "4294967295",
        "4294967296",
        "99999999999999999999",
        "high",
        "0:2147483648",
        "0:high",
    ];
    for spec in range {
        assert!(matches!(get(spec), Err(Error::Range { .. })), "{spec}");
    }
    for spec in [
        "nobody",
        "-1",
        "+1",
        "0x0",
        " 0",
        "0 ",
        "\u{661}",
        "huge",
        "minus",
        "#",
        "0:nogroup",
        "0:-1",
    ] {
        assert!(matches!(get(spec), Err(Error::Unknown { .. })), "{spec}");
    }
    for spec in ["a:b:c", "::", "0:0:0"] {
        assert!(matches!(get(spec), Err(Error::Form(_))), "{spec}");
    }
    assert!(matches!(resolve("web", None, None), Err(Error::Unknown { .. })));
}

#[test]
fn a_home_that_cannot_be_an_environment_variable_is_not_used() {
    assert_eq!(get("tab").unwrap().home, "/");
    assert_eq!(get("short").unwrap().home, "/");
    let passwd = b"a:x:1:1::relative:\nb:x:2:2::/\xff:\nc:x:3:3::\r\n";
    for name in ["a", "b", "c"] {
        assert_eq!(resolve(name, Some(passwd), None).unwrap().home, "/");
    }
}

proptest! {
    /// T-USER-02: a number is either itself or an error, whatever the files hold.
    #[test]
    fn numbers_never_wrap(
        uid in any::<u64>(), gid in any::<u64>(),
        passwd in "([a-z0-9]{0,3}:x:[0-9]{0,11}:[0-9]{0,11}:.{0,5}\n){0,5}",
    ) {
        for spec in [format!("{uid}"), format!("{uid}:{gid}"), format!("0:{gid}")] {
            let in_range = spec.split(':').all(|part| part.parse::<u64>().unwrap() <= u64::from(MAX_ID));
            match resolve(&spec, Some(passwd.as_bytes()), None) {
                Ok(user) => {
                    prop_assert_eq!(u64::from(user.uid), spec.split(':').next().unwrap().parse::<u64>().unwrap());
                    prop_assert!(in_range && user.groups.contains(&user.gid));
                }
                Err(_) if spec.contains(':') => prop_assert!(!in_range),
                Err(_) => {}
            }
        }
    }

    /// T-USER-02: no text makes the resolver panic, and only a root entry or "nothing" is root.
    #[test]
    fn only_what_says_root_is_root(spec in "[a-z0-9:+-]{1,12}") {
        let passwd = b"alice:x:1:1::/:\nbob:x:2:2::/:\n";
        if let Ok(user) = resolve(&spec, Some(passwd), None) {
            let name = spec.split(':').next().unwrap();
            let says_root = name.bytes().all(|byte| byte == b'0');
            prop_assert_eq!(user.uid == 0, says_root, "{}", spec);
        }
    }
}

fn image(dir: &Path) -> Root {
    file::make_dir(&dir.join("etc"), 0o755).unwrap();
    Root::open(dir).unwrap()
}

#[test]
fn account_files_are_read_inside_the_root_only() {
    let tmp = tempfile::tempdir().unwrap();
    let root = image(tmp.path());
    assert_eq!(read_account_files(&root).unwrap(), AccountFiles::default());
    symlink("/etc/group", tmp.path().join("etc/passwd")).unwrap();
    assert_eq!(read_account_files(&root).unwrap(), AccountFiles::default());
    let group = tmp.path().join("etc/group");
    file::replace(&group, b"of the image", 0o644, file::Durability::Volatile).unwrap();
    let files = read_account_files(&root).unwrap();
    assert_eq!(files.passwd.as_deref(), Some(&b"of the image"[..]));
    assert_eq!(files.passwd, files.group);
}

/// T-USER-03
#[test]
fn what_is_not_a_regular_file_is_refused_without_blocking() {
    let errno = |make: &dyn Fn(&Path)| {
        let tmp = tempfile::tempdir().unwrap();
        let root = image(tmp.path());
        make(&tmp.path().join("etc/passwd"));
        match read_account_files(&root) {
            Err(Error::Read(error)) => error.errno(),
            other => panic!("{other:?}"),
        }
    };
    let mode = nix::sys::stat::Mode::from_bits_truncate(0o644);
    assert_eq!(errno(&|path| nix::unistd::mkfifo(path, mode).unwrap()), libc::EINVAL);
    assert_eq!(errno(&|path| file::make_dir(path, 0o755).unwrap()), libc::EINVAL);
    assert_eq!(errno(&|path| symlink("passwd", path).unwrap()), libc::ELOOP);
    assert_eq!(
        errno(&|path| {
            let device = nix::sys::stat::makedev(1, 5);
            nix::sys::stat::mknod(path, nix::sys::stat::SFlag::S_IFCHR, mode, device).unwrap();
        }),
        libc::EINVAL
    );
    assert_eq!(
        errno(&|path| file::create_new(path, 0o644).unwrap().set_len(1 << 30).unwrap()),
        libc::EFBIG
    );
}
