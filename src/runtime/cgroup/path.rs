//! The name of a group below the root of every hierarchy.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// Why a text is not the path of a group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cgroup path \"{}\" {problem}", .text.escape_debug())]
pub struct GroupPathError {
    text: String,
    problem: &'static str,
}

/// The longest component, well below `NAME_MAX`.
const MAX_COMPONENT: usize = 128;

/// A relative path such as `tank/web/0123456789abcdef`.
///
/// Each component is `[a-zA-Z0-9][a-zA-Z0-9_.-]*`, so a path can neither climb (`..`) nor be
/// absolute nor name the root of a hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupPath(String);

impl GroupPath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of the group `name` directly inside this one.
    pub fn child(&self, name: &str) -> Result<Self, GroupPathError> {
        check_component(name, name)?;
        Ok(Self(format!("{}/{name}", self.0)))
    }

    /// The path of the group that this one is inside of; `None` for one at the top.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// The groups around this one, the innermost first.
    pub(super) fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), Self::parent)
    }
}

impl FromStr for GroupPath {
    type Err = GroupPathError;

    fn from_str(text: &str) -> Result<Self, GroupPathError> {
        text.split('/').try_for_each(|component| check_component(text, component))?;
        Ok(Self(text.to_owned()))
    }
}

fn check_component(text: &str, component: &str) -> Result<(), GroupPathError> {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-');
    let problem = if component.is_empty() {
        "has an empty component"
    } else if component.len() > MAX_COMPONENT {
        "has a component longer than 128 characters"
    } else if !component.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        "has a component that does not start with a letter or a digit"
    } else if !component.bytes().all(allowed) {
        "may only have letters, digits, '_', '.' and '-' between slashes"
    } else {
        return Ok(());
    };
    Err(GroupPathError { text: text.chars().take(80).collect(), problem })
}

impl AsRef<Path> for GroupPath {
    fn as_ref(&self) -> &Path {
        self.0.as_ref()
    }
}

impl fmt::Display for GroupPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_root() {
        for good in ["tank", "tank/web/0123456789abcdef", "a.b-c_d/E", &"x".repeat(128)] {
            assert!(good.parse::<GroupPath>().is_ok(), "{good}");
        }
        let long = "x".repeat(129);
        for bad in [
            "",
            "/",
            "/tank",
            "tank/",
            "tank//web",
            ".",
            "..",
            "tank/..",
            "tank/../x",
            "-tank",
            "_tank",
            ".tank",
            "tank/.x",
            "ta nk",
            "ta\0nk",
            "tank\n",
            "tänk",
            "tank:x",
            &long,
        ] {
            assert!(bad.parse::<GroupPath>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn children_and_ancestors() {
        let path: GroupPath = "tank/web".parse().unwrap();
        let child = path.child("exec-1").unwrap();
        assert_eq!(child.as_str(), "tank/web/exec-1");
        assert!(path.child("../x").is_err());
        assert!(path.child("a/b").is_err());
        let names: Vec<String> = child.ancestors().map(|path| path.to_string()).collect();
        assert_eq!(names, ["tank/web", "tank"]);
    }
}
