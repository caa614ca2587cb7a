//! What it takes for a pass to run at boot and every minute, without a daemon of tank's own.

use std::path::{Path, PathBuf};

use super::Options;
use crate::engine;

/// The roots that need not be named.
const ROOTS: [&str; 2] = ["/var/lib/tank", "/run/tank"];

/// Who runs the passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduler {
    /// systemd.timer(5)
    Systemd,
    /// crontab(5)
    Cron,
}

/// A part of the installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A file.
    File {
        /// Where.
        path: PathBuf,
        /// What is in it.
        content: String,
    },
    /// A symbolic link.
    Link {
        /// Where.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
}

impl Piece {
    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::File { path, .. } | Self::Link { path, .. } => path,
        }
    }
}

/// The one that this machine runs: systemd where it is the first process, else cron.
pub fn scheduler() -> Scheduler {
    // As sd_booted(3) tells.
    match Path::new("/run/systemd/system").is_dir() {
        true => Scheduler::Systemd,
        false => Scheduler::Cron,
    }
}

/// The files that have passes run over these roots by the program that is installed.
pub fn pieces(scheduler: Scheduler, options: &Options) -> Vec<Piece> {
    let mut words = vec![engine::installed().display().to_string()];
    // Whoever runs them has another working directory.
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let (root, run) = (absolute(&options.root), absolute(&options.run_root));
    let is_usual = [&root, &run].into_iter().eq(ROOTS.map(Path::new));
    if !is_usual {
        for (option, root) in [("--root", &root), ("--run-root", &run)] {
            words.extend([option.to_owned(), root.display().to_string()]);
        }
    }
    words.extend(["reconcile".to_owned(), "-q".to_owned()]);
    let name = engine::base_name(&root.canonicalize().unwrap_or(root));
    match scheduler {
        Scheduler::Systemd => units(&name, &words),
        Scheduler::Cron => vec![crontab(&name, &words)],
    }
}

fn units(name: &str, words: &[String]) -> Vec<Piece> {
    let words: Vec<_> = words.iter().map(|word| systemd_word(word)).collect();
    let service = format!(
        "[Unit]\nDescription=Pass of tank: pods as they should be\nDocumentation=man:tank(1)\n\
         Wants=network-online.target\nAfter=network-online.target local-fs.target\n\n\
         [Service]\nType=oneshot\nExecStart={}\n# Containers outlive the pass that started them.\n\
         KillMode=process\n\n[Install]\nWantedBy=multi-user.target\n",
        words.join(" ")
    );
    let timer = "[Unit]\nDescription=Pass of tank every minute\nDocumentation=man:tank(1)\n\n\
                 [Timer]\nOnActiveSec=1min\nOnUnitInactiveSec=1min\nAccuracySec=5s\n\n\
                 [Install]\nWantedBy=timers.target\n";
    let units = Path::new("/etc/systemd/system");
    let unit = |kind: &str, content: &str| Piece::File {
        path: units.join(format!("{name}.{kind}")),
        content: content.to_owned(),
    };
    // What `systemctl enable` makes.
    let wanted = |by: &str, kind: &str| Piece::Link {
        path: units.join(format!("{by}.wants/{name}.{kind}")),
        target: Path::new("..").join(format!("{name}.{kind}")),
    };
    vec![
        unit("service", &service),
        unit("timer", timer),
        wanted("multi-user.target", "service"),
        wanted("timers.target", "timer"),
    ]
}

fn crontab(name: &str, words: &[String]) -> Piece {
    let words: Vec<_> = words.iter().map(|word| cron_word(word)).collect();
    let command = words.join(" ");
    Piece::File {
        path: Path::new("/etc/cron.d").join(name),
        content: format!(
            "# Passes of tank: pods as they should be.\n@reboot   root {command}\n\
             * * * * * root {command}\n"
        ),
    }
}

/// Characters that mean nothing to anybody.
fn is_plain(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    word.chars().all(plain) && !word.is_empty()
}

/// A word of a command line in a unit: systemd.service(5), "Command lines".
fn systemd_word(word: &str) -> String {
    if is_plain(word) {
        return word.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '%' | '$' => quoted.extend([c, c]),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A word of a shell's command line in a crontab, where a percent sign is a line break.
fn cron_word(word: &str) -> String {
    if is_plain(word) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''").replace('%', "\\%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_their_readers_read_them() {
        assert_eq!(systemd_word("/usr/bin/tank"), "/usr/bin/tank");
        assert_eq!(systemd_word("/a b/\"$x\"%i"), "\"/a b/\\\"$$x\\\"%%i\"");
        assert_eq!(cron_word("/usr/bin/tank"), "/usr/bin/tank");
        assert_eq!(cron_word("/it's 5%"), "'/it'\\''s 5\\%'");
        assert_eq!([systemd_word(""), cron_word("")], ["\"\"", "''"]);
    }
}
