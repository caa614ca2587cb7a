//! What tank does by itself when a program ends: restart policies, stopping, drift.

mod debian;
mod policy;
mod reconcile;
mod stop;
