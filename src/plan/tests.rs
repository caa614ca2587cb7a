//! The planner against tables of (desired, observed, plan), and against properties that must hold
//! for every world.

mod dependencies;
mod ended;
mod network;
mod notation;
mod pods;
mod properties;
mod running;
mod several;
mod summary;
mod taken_down;
mod world;
