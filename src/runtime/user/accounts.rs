//! The lines of passwd(5) and group(5). Lines that do not have the form are passed over.

/// One user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account<'a> {
    /// Login name.
    pub name: &'a [u8],
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    home: &'a [u8],
}

impl<'a> Account<'a> {
    /// The home directory, if it can be one: absolute, and fit for an environment variable.
    pub(super) fn home(&self) -> Option<&'a str> {
        let home = str::from_utf8(self.home).ok()?;
        (home.starts_with('/') && !home.chars().any(char::is_control)).then_some(home)
    }
}

/// One group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group<'a> {
    /// Group name.
    pub name: &'a [u8],
    /// Group id.
    pub gid: u32,
    members: &'a [u8],
}

impl Group<'_> {
    /// Whether `user` is in the group's list of members.
    pub(super) fn has_member(&self, user: &[u8]) -> bool {
        self.members.split(|&byte| byte == b',').any(|member| member == user)
    }
}

/// The users of a passwd(5) file, in order.
pub(super) fn users(content: &[u8]) -> impl Iterator<Item = Account<'_>> {
    lines(content).filter_map(|line| {
        let mut fields = line.split(|&byte| byte == b':');
        let (name, _password) = (name(fields.next()?)?, fields.next()?);
        let (uid, gid) = (id(fields.next()?)?, id(fields.next()?)?);
        let home = fields.nth(1).unwrap_or_default();
        Some(Account { name, uid, gid, home })
    })
}

/// The groups of a group(5) file, in order.
pub(super) fn groups(content: &[u8]) -> impl Iterator<Item = Group<'_>> {
    lines(content).filter_map(|line| {
        let mut fields = line.split(|&byte| byte == b':');
        let (name, _password) = (name(fields.next()?)?, fields.next()?);
        let gid = id(fields.next()?)?;
        let members = fields.next().unwrap_or_default();
        Some(Group { name, gid, members })
    })
}

fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii)
}

fn name(field: &[u8]) -> Option<&[u8]> {
    (!field.is_empty()).then_some(field)
}

fn id(field: &[u8]) -> Option<u32> {
    if !field.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(field).ok()?.parse().ok()
}
