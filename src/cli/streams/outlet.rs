//! A destination of text with a thread that writes it: no caller waits for a reader.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::rows::Rows;

/// How many bytes of progress may wait for a reader. Results and messages wait without a bound: a run has few of them.
const PROGRESS: usize = 8 << 20;
/// About how much is written at once.
const BATCH: usize = 64 << 10;
/// How long a full place is left alone that does not let its writer wait.
const FULL: Duration = Duration::from_millis(10);

/// Takes text at once, and writes it as fast as it is read.
pub(super) struct Outlet {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Mutex<Queue>,
    /// There is something to write.
    queued: Condvar,
    /// Something was written.
    written: Condvar,
}

struct Queue {
    texts: VecDeque<Text>,
    /// Bytes of progress among them.
    progress: usize,
    /// Rows that are to be drawn instead of those that are.
    rows: Option<Vec<String>>,
    /// The thread has something that is not written yet.
    writing: bool,
    /// Bytes that were written.
    taken: u64,
    /// No more text will come.
    closing: bool,
    end: End,
    /// The writer, until its thread is first needed.
    writer: Option<Writer>,
}

enum Text {
    Kept(Vec<u8>),
    Progress(Vec<u8>),
    /// So many lines of progress were here.
    LeftOut(usize),
}

enum End {
    Open,
    /// The reader left; that is its right.
    Closed,
    /// The disk is full, or worse: the data is not complete.
    Failed(io::Error),
}

struct Writer {
    to: Box<dyn Write + Send>,
    rows: Option<Rows>,
}

impl Outlet {
    /// A plain place.
    pub(super) fn new(to: impl Write + Send + 'static) -> Self {
        Self::starting(Writer {
            to: Box::new(to),
            rows: None,
        })
    }

    /// A terminal with rows at its bottom.
    pub(super) fn with_rows(to: impl Write + Send + 'static, rows: Rows) -> Self {
        Self::starting(Writer {
            to: Box::new(to),
            rows: Some(rows),
        })
    }

    fn starting(writer: Writer) -> Self {
        let queue = Queue {
            texts: VecDeque::new(),
            progress: 0,
            rows: None,
            writing: false,
            taken: 0,
            closing: false,
            end: End::Open,
            writer: Some(writer),
        };
        let shared = Shared {
            queue: Mutex::new(queue),
            queued: Condvar::new(),
            written: Condvar::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Writes this, whenever that is possible.
    pub(super) fn keep(&self, text: Vec<u8>) {
        self.say(|queue| queue.texts.push_back(Text::Kept(text)));
    }

    /// Writes these lines, unless too many wait already.
    pub(super) fn progress(&self, lines: Vec<u8>) {
        self.say(|queue| {
            if queue.progress + lines.len() <= PROGRESS {
                queue.progress += lines.len();
                queue.texts.push_back(Text::Progress(lines));
                return;
            }
            let count = lines.split_inclusive(|&byte| byte == b'\n').count();
            match queue.texts.back_mut() {
                Some(Text::LeftOut(before)) => *before += count,
                _ => queue.texts.push_back(Text::LeftOut(count)),
            }
        });
    }

    /// Draws these rows instead of those that were drawn before.
    pub(super) fn rows(&self, rows: Vec<String>) {
        self.say(|queue| queue.rows = Some(rows));
    }

    /// Waits until nothing is left to write; `false` when it takes longer than until then.
    pub(super) fn written(&self, until: Option<Instant>) -> bool {
        let mut queue = self.shared.queue();
        while queue.has_something() || queue.writing {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            queue = match left {
                Some(Duration::ZERO) => return false,
                Some(left) => {
                    let waited = self.shared.written.wait_timeout(queue, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.shared.written.wait(queue);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
        true
    }

    /// How many bytes were written.
    pub(super) fn taken(&self) -> u64 {
        self.shared.queue().taken
    }

    /// Why not everything was written, unless the reader left.
    pub(super) fn failure(&self) -> Option<String> {
        match &self.shared.queue().end {
            End::Failed(error) => Some(error.to_string()),
            End::Open | End::Closed => None,
        }
    }

    fn say(&self, say: impl FnOnce(&mut Queue)) {
        let mut queue = self.shared.queue();
        if !matches!(queue.end, End::Open) {
            return;
        }
        say(&mut queue);
        if let Some(writer) = queue.writer.take() {
            let shared = self.shared.clone();
            std::thread::spawn(move || shared.write_for_ever(writer));
        }
        self.shared.queued.notify_one();
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.shared.queue().closing = true;
        self.shared.queued.notify_one();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_for_ever(&self, mut writer: Writer) {
        loop {
            let (text, rows) = {
                let queue = self.queue();
                let nothing = |queue: &mut Queue| !queue.has_something() && !queue.closing;
                let queue = self.queued.wait_while(queue, nothing);
                let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
                if !queue.has_something() {
                    return;
                }
                queue.writing = true;
                (queue.batch(), queue.rows.take())
            };
            let bytes = match &mut writer.rows {
                None => text,
                Some(on_screen) => on_screen.around(text, rows),
            };
            let result = self.write(&mut *writer.to, &bytes);
            let mut queue = self.queue();
            queue.writing = false;
            if let Err(error) = result {
                queue.end = match error.kind() {
                    io::ErrorKind::BrokenPipe => End::Closed,
                    _ => End::Failed(error),
                };
                (queue.texts, queue.rows) = (VecDeque::new(), None);
            }
            self.written.notify_all();
            if !matches!(queue.end, End::Open) {
                return;
            }
        }
    }

    fn write(&self, to: &mut dyn Write, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            // In pieces, so that a reader who takes little is seen to take something.
            let piece = &bytes[..bytes.len().min(BATCH)];
            match to.write(piece) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = &bytes[count..];
                    self.queue().taken += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Another process that shares the stream may have asked not to wait in writes.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(FULL),
                Err(error) => return Err(error),
            }
        }
        loop {
            match to.flush() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(FULL),
                flushed => return flushed,
            }
        }
    }
}

impl Queue {
    fn has_something(&self) -> bool {
        !self.texts.is_empty() || self.rows.is_some()
    }

    /// The next texts as one.
    fn batch(&mut self) -> Vec<u8> {
        let mut batch = Vec::new();
        while batch.len() < BATCH
            && let Some(text) = self.texts.pop_front()
        {
            let bytes = match text {
                Text::Kept(bytes) => bytes,
                Text::Progress(bytes) => {
                    self.progress -= bytes.len();
                    bytes
                }
                Text::LeftOut(1) => {
                    b"(1 line of progress left out: the reader was too slow)\n".into()
                }
                Text::LeftOut(lines) => {
                    format!("({lines} lines of progress left out: the reader was too slow)\n")
                        .into_bytes()
                }
            };
            // A big document is handed on, not copied.
            match batch.is_empty() {
                true => batch = bytes,
                false => batch.extend(bytes),
            }
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    struct Fails(io::ErrorKind, Arc<Mutex<usize>>);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            *self.1.lock().expect("not poisoned") += 1;
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn failing(kind: io::ErrorKind) -> (Outlet, Arc<Mutex<usize>>) {
        let tries = Arc::new(Mutex::new(0));
        (Outlet::new(Fails(kind, tries.clone())), tries)
    }

    #[test]
    fn a_reader_that_left_is_no_failure_and_is_not_written_to_again() {
        let (outlet, tries) = failing(io::ErrorKind::BrokenPipe);
        outlet.keep(b"one\n".into());
        assert!(outlet.written(None));
        outlet.keep(b"two\n".into());
        assert!(outlet.written(None));
        assert_eq!(*tries.lock().expect("not poisoned"), 1);
        assert_eq!(outlet.failure(), None);
    }

    #[test]
    fn a_full_disk_is_a_failure() {
        let (outlet, _) = failing(io::ErrorKind::StorageFull);
        outlet.keep(b"one\n".into());
        assert!(outlet.written(None));
        assert!(outlet.failure().is_some());
    }

    #[test]
    fn a_sleeping_reader_stops_no_caller_and_gets_every_result_when_it_wakes() {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let outlet = Outlet::new(writer);
        let line = [b"x".repeat(999), b"\n".to_vec()].concat();
        for _ in 0..PROGRESS / line.len() + 1000 {
            outlet.progress(line.clone());
            outlet.keep(b"result\n".into());
        }
        assert!(!outlet.written(Some(Instant::now())));
        let all = std::thread::spawn(move || {
            let mut all = String::new();
            reader.read_to_string(&mut all).expect("text");
            all
        });
        assert!(outlet.written(None));
        drop(outlet);
        let all = all.join().expect("read");
        let count = |what: &str| all.lines().filter(|line| line.contains(what)).count();
        assert_eq!(count("result"), PROGRESS / line.len() + 1000);
        let shown = count("xxx");
        let told: usize = all
            .lines()
            .filter_map(|line| {
                line.strip_prefix('(')?
                    .split(' ')
                    .next()?
                    .parse::<usize>()
                    .ok()
            })
            .sum();
        assert!(told > 0 && shown > 0, "{shown} {told}");
        assert_eq!(shown + told, PROGRESS / line.len() + 1000);
    }
}
