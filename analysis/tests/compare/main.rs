//! Two sides beside each other: pairs, failures, verdicts, and what cannot be compared.

mod folders;
mod scenario;
mod size;
mod text;
mod verdicts;
