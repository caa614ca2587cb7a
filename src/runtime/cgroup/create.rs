//! Making a group, with the groups around it and the controllers it needs.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::group::Place;
use super::hierarchy::Controller;
use super::remove::remove_dirs;
use super::{DeviceRules, Error, Group, Limits, Note, Result, file};

/// The controllers a group gets on cgroup2, unless a v1 hierarchy holds them.
const CONTROLLERS: [Controller; 3] = [Controller::Cpu, Controller::Memory, Controller::Pids];

/// What keeps a group from handing down a controller; it matters if a limit needs that one.
type Obstacles = Vec<(Controller, Error)>;

/// How often to start again when another tank removes an empty parent between two of our steps.
const ATTEMPTS: usize = 10;

impl Group {
    /// Makes the group and those around it, limited and ready to be joined.
    ///
    /// One of that name that has processes is refused ([`Error::NotEmpty`]); an empty one is
    /// replaced, so that no limit, counter, frozen state or device rule of a former life is left.
    /// On failure nothing is left either, except the groups around it.
    ///
    /// A stated limit without a controller to enforce it is an error; a controller that is
    /// missing but not needed is a note.
    pub fn create(&self, limits: &Limits, devices: Option<&DeviceRules>) -> Result<Vec<Note>> {
        if !self.processes()?.is_empty() {
            return Err(Error::NotEmpty(self.path.clone()));
        }
        let result = self.fill(limits, devices);
        if result.is_err() {
            for dir in self.own_dirs() {
                // The first error is the one to report.
                drop(remove_dirs(&dir));
            }
        }
        result
    }

    /// Makes the group and those around it, without limits; one that is there stays as it is.
    pub fn ensure(&self) -> Result<()> {
        for place in &self.places {
            if !place.dir().is_dir() {
                self.make(place)?;
            }
        }
        Ok(())
    }

    fn fill(&self, limits: &Limits, devices: Option<&DeviceRules>) -> Result<Vec<Note>> {
        let mut obstacles = Vec::new();
        for place in &self.places {
            obstacles.extend(self.make(place)?);
        }
        let mut notes = self.set_limits(limits, true).map_err(|error| match error {
            // Rather say what kept the controller from being there.
            Error::NoController(missing) => obstacles
                .into_iter()
                .find_map(|(controller, obstacle)| (controller == missing).then_some(obstacle))
                .unwrap_or(error),
            _ => error,
        })?;
        if let Some(rules) = devices {
            notes.extend(self.restrict_devices(rules)?);
        }
        Ok(notes)
    }

    /// Makes the group in one hierarchy.
    fn make(&self, place: &Place) -> Result<Obstacles> {
        for _ in 1..ATTEMPTS {
            match self.try_make(place) {
                Err(error) if error.is_gone() => {}
                result => return result,
            }
        }
        self.try_make(place)
    }

    fn try_make(&self, place: &Place) -> Result<Obstacles> {
        let mount = &place.hierarchy.mount;
        let mut parents: Vec<PathBuf> = place.path.ancestors().map(|p| mount.join(p)).collect();
        parents.push(mount.clone());
        let mut obstacles = Vec::new();
        for dir in parents.iter().rev() {
            if dir != mount {
                make_dir(dir)?;
            }
            if place.hierarchy.is_v2() {
                obstacles.extend(self.enable_controllers(dir)?);
            }
        }
        let dir = place.dir();
        if !make_dir(&dir)? {
            remove_dirs(&dir).map_err(|error| match error.is(libc::EBUSY) {
                true => Error::NotEmpty(self.path.clone()),
                false => error,
            })?;
            make_dir(&dir)?;
        }
        Ok(obstacles)
    }

    /// Lets the children of the cgroup2 group at `dir` have the controllers that it has itself.
    fn enable_controllers(&self, dir: &Path) -> Result<Obstacles> {
        let available = file::read(dir, "cgroup.controllers")?;
        let enabled = file::read(dir, "cgroup.subtree_control")?;
        let lists = |text: &str, name| text.split(' ').any(|word| word == name);
        let missing: Vec<Controller> = CONTROLLERS
            .into_iter()
            .filter(|controller| self.v1(*controller).is_none())
            .filter(|c| lists(&available, c.name()) && !lists(&enabled, c.name()))
            .collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        // The kernel would refuse "memory" here, but take "cpu" and "pids" as a wish to split up
        // processes by their threads. The root of all, which has no type, may have processes.
        let is_inner = file::read_if_there(dir, "cgroup.type")?.is_some();
        if is_inner && !file::read(dir, "cgroup.procs")?.is_empty() {
            let obstacle = |controller| {
                let directory = dir.to_owned();
                (controller, Error::InternalProcesses { controller, directory })
            };
            return Ok(missing.into_iter().map(obstacle).collect());
        }
        let mut obstacles = Vec::new();
        for controller in missing {
            match file::write(dir, "cgroup.subtree_control", format!("+{controller}")) {
                Err(error) if error.is_gone() => return Err(error),
                Err(error) => obstacles.push((controller, error)),
                Ok(()) => {}
            }
        }
        Ok(obstacles)
    }

    /// Makes a group inside this one whose processes share its limits and can be killed on their
    /// own, for the process of an exec.
    ///
    /// It has a directory in the tracking hierarchy only, and no controllers, so that this group
    /// may keep processes of its own. It is removed like any other, and with this one.
    pub fn create_nested(&self, name: &str) -> Result<Self> {
        let nested = self.nested(name)?;
        if let Some(tracking) = nested.places.first()
            && !make_dir(&tracking.dir())?
        {
            return Err(Error::NotEmpty(nested.path));
        }
        Ok(nested)
    }

    /// The group that [`create_nested`](Self::create_nested) made, or would make.
    pub fn nested(&self, name: &str) -> Result<Self> {
        let mut nested = self.clone();
        nested.path = self.path.child(name)?;
        if let Some(tracking) = nested.places.first_mut() {
            tracking.path = nested.path.clone();
        }
        Ok(nested)
    }
}

/// Makes one directory; `false` if it is there already.
fn make_dir(dir: &Path) -> Result<bool> {
    match std::fs::create_dir(dir) {
        Ok(()) => Ok(true),
        Err(source) if source.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(source) => Err(Error::file("create", dir, source)),
    }
}
