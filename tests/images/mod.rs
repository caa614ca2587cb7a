//! Images that other programs made: loaded, listed, run, removed.

mod config;
mod load;
mod login;
mod prune;
mod remove;
mod save;
mod serve;
mod settings;
mod tag;
mod trees;

use std::path::Path;

use crate::support::Tank;

/// Loads an image from a file or a directory.
#[track_caller]
fn load(tank: &Tank, path: &Path) {
    tank.run(["image", "load", path.to_str().unwrap()]).ok();
}

/// A pod file of one container of an image, with more keys of the container.
fn pod(image: &str, container: &str) -> String {
    format!(
        "name = 'web'\nnetwork = 'none'\nrestart = 'never'\nstop_timeout = '1s'\n\
         [[containers]]\nname = 'app'\nimage = '{image}'\npull = 'never'\n{container}\n"
    )
}
