//! Which process this is, and whether another one still lives.

use terrane_host::{are_comparable, boot, start_of};

use crate::journal::{OpenIntent, ProcessIdentity};

/// Whether the process of a record still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It runs on this host.
    Alive,
    /// It ran on this host and is gone, or the host was started anew.
    Dead,
    /// It ran elsewhere, or nothing can be known.
    Unknown,
}

impl OpenIntent {
    /// Whether the run that began it, or its provider process, may still work on it.
    pub fn liveness(&self) -> Liveness {
        match &self.by {
            // Asked by this very run, whose provider may be at it still.
            None => Liveness::Alive,
            Some(process) => process.liveness_with(self.intent.provider_pid),
        }
    }
}

impl ProcessIdentity {
    /// This process, for `who` (`user@host`) and the page of the CI job if there is one.
    pub fn current(who: impl Into<String>, ci_url: Option<String>) -> Self {
        let pid = std::process::id();
        Self {
            who: who.into(),
            pid,
            start: start_of(pid).unwrap_or_default(),
            boot: boot().unwrap_or_default(),
            ci_url,
            folder: None,
        }
    }

    /// The same of that process and of one that it started. Of that one only the number is known, so that another process which got it
    /// since counts as alive.
    pub fn liveness_with(&self, child: Option<u32>) -> Liveness {
        match (self.liveness(), child) {
            (Liveness::Dead, Some(child))
                if self.is_of_this_boot() && start_of(child).is_some() =>
            {
                Liveness::Alive
            }
            (liveness, _) => liveness,
        }
    }

    fn is_of_this_boot(&self) -> bool {
        boot().is_some_and(|boot| boot == self.boot)
    }

    /// Whether that process still runs. A process id alone proves nothing: it may have been given to another since.
    pub fn liveness(&self) -> Liveness {
        let host = |who: &str| who.rsplit_once('@').map(|(_, host)| host.to_owned());
        let here = rustix::system::uname();
        let same_host = host(&self.who).as_deref() == here.nodename().to_str().ok();
        match boot() {
            // The record was made in another way: nothing can be compared.
            Some(boot) if !self.boot.is_empty() && !are_comparable(&boot, &self.boot) => {
                Liveness::Unknown
            }
            Some(boot) if boot == self.boot && !self.start.is_empty() => {
                if start_of(self.pid).as_deref() == Some(&*self.start) {
                    Liveness::Alive
                } else {
                    Liveness::Dead
                }
            }
            Some(_) if same_host && !self.boot.is_empty() => Liveness::Dead,
            _ => Liveness::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_a_reused_number_is_not_it() {
        let mut process = ProcessIdentity::current("me@here", None);
        assert_eq!(process.liveness(), Liveness::Alive);
        process.start = "1".into();
        assert_eq!(process.liveness(), Liveness::Dead);
    }

    #[test]
    fn a_process_that_ended_and_that_nobody_waited_for_is_not_alive() {
        let mut child = std::process::Command::new("true")
            .spawn()
            .expect("a process");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while start_of(child.id()).is_some() {
            assert!(std::time::Instant::now() < deadline, "it does not end");
            std::thread::yield_now();
        }
        child.wait().expect("an end");
    }

    #[test]
    fn a_dead_process_whose_child_lives_may_still_act() {
        let mut process = ProcessIdentity::current("me@here", None);
        let child = process.pid;
        process.start = "1".into();
        assert_eq!(process.liveness_with(Some(child)), Liveness::Alive);
        assert_eq!(process.liveness_with(None), Liveness::Dead);
        process.boot = "another".into();
        assert_ne!(process.liveness_with(Some(child)), Liveness::Alive);
    }

    #[test]
    fn a_process_of_before_the_last_boot_is_dead_and_one_elsewhere_unknown() {
        let here = rustix::system::uname();
        let who = format!("me@{}", here.nodename().to_string_lossy());
        let mut process = ProcessIdentity::current(who, None);
        process.boot = "another".into();
        assert_eq!(process.liveness(), Liveness::Dead);
        process.boot = "ps of another way".into();
        assert_eq!(process.liveness(), Liveness::Unknown);
        process.boot = "another".into();
        process.who = "me@no.such.host.example".into();
        assert_eq!(process.liveness(), Liveness::Unknown);
    }
}
