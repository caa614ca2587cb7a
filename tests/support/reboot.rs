//! A restart of the machine, as one tank sees it.

use std::time::Duration;

use rustix::mount::{UnmountFlags, unmount};
use rustix::process::Signal;

use super::pods::send;
use super::{Tank, wait};

const SOON: Duration = Duration::from_secs(20);

impl Tank {
    /// Takes away what a reboot does: all processes, the network, and the files below `/run`.
    pub(crate) fn lose_what_runs(&self) {
        let processes = self.world().processes;
        // Monitors first: they would start what ended.
        let monitors = processes.iter().filter(|(_, line)| line.starts_with("tank-monitor"));
        let others = processes.iter().filter(|(_, line)| !line.starts_with("tank-monitor"));
        for (pid, _) in monitors.chain(others) {
            if std::fs::exists(format!("/proc/{pid}")).unwrap() {
                send(*pid, Signal::KILL);
            }
            assert!(wait::process_ended(*pid, SOON));
        }
        let world = self.world();
        for mount in world.mounts.iter().rev() {
            let target = mount.split(' ').nth(4).unwrap();
            unmount(target, UnmountFlags::DETACH).unwrap();
        }
        self.forget_network();
        std::fs::remove_dir_all(self.run_root()).unwrap();
    }

    /// The same, and the boot that everything was started in is not the one that is.
    pub(crate) fn reboot(&self) {
        self.lose_what_runs();
        let state = rusqlite::Connection::open(self.root().join("state.db")).unwrap();
        let other = "00000000-0000-4000-8000-000000000000";
        state.execute("UPDATE meta SET value = ?1 WHERE key = 'boot'", [other]).unwrap();
        state.execute("UPDATE instances SET boot = ?1", [other]).unwrap();
    }
}
