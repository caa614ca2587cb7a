//! What tank does by itself when a program ends: restart policies, stopping, drift.

mod debian;
mod drift;
mod policy;
mod reboot;
mod reconcile;
mod stop;
