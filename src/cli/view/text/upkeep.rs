//! Locks, journals and stores as people read them.

use terrane_state::backend::Holder;
use terrane_state::{Damage, Recovered, Timestamp};

use super::painter::Tone;
use super::{TextView, repair};
use crate::view::UpkeepView;
use crate::view::lock::holder_text;

impl UpkeepView for TextView {
    fn bootstrap_plan(&self, steps: &[String]) {
        let plus = self.out_painter().paint(Tone::Add, "+");
        let lines = steps.iter().map(|step| format!("  {plus} {step}\n"));
        self.streams.out(lines.collect::<String>());
    }

    fn bootstrap_step(&self, step: &str) {
        self.streams.out(format!("{step}: done\n"));
    }

    fn bootstrapped(&self, location: &str, _: &[String]) {
        self.streams.out(format!("{location} is ready\n"));
    }

    fn lock(&self, holder: &Holder, now: Timestamp) {
        self.streams.err(&format!("{}\n", holder_text(holder, now)));
    }

    fn unlocked(&self, _: &str, _: &Holder, place: &str) {
        self.streams.err(&format!(
            "the state at {place} is unlocked; the next run recovers the operations of the one that held it\n"
        ));
    }

    fn journal_is_whole(&self, place: &str) {
        self.streams.err(&format!(
            "The journal of {place} is whole: there is nothing to repair.\n"
        ));
    }

    fn journal_damage(&self, place: &str, damage: &Damage, saved: &Recovered) {
        let text = repair::damage(place, damage, saved, self.out_painter());
        self.streams.out(text);
    }

    fn journal_repaired(&self, _: &str, _: (&Damage, &Recovered), copy: Option<&str>, next: &str) {
        if let Some(copy) = copy {
            self.streams.err(&format!(
                "the damaged journal is kept at {copy}\nhint: run `{next}`: it puts the saved results into the state\n"
            ));
        }
    }
}
