//! Pages in a real browser: what a person sees and does, with 5, with 500 and with 5,000 changes.

mod chromium;
mod page;
