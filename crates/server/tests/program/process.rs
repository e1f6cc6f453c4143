//! One process of the program: what it prints, how it is signalled, how it ends. None outlives its
//! value, and nothing is waited for without a bound.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

/// The most that anything here may take; what is waited for usually takes milliseconds.
pub(crate) const BOUND: Duration = Duration::from_secs(30);

/// Waits until what is asked becomes true.
pub(crate) fn until(what: &str, is_true: impl Fn() -> bool) {
    let deadline = Instant::now() + BOUND;
    while !is_true() {
        assert!(Instant::now() < deadline, "not within {BOUND:?}: {what}");
        thread::yield_now();
    }
}

/// A running process, killed with this value.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    out: Lines,
    err: Lines,
}

/// A process that came to its end, and all that it ever printed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = Lines::of(child.stdout.take().unwrap());
        let err = Lines::of(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// `TERM`, `INT` or `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// The next line of standard output with `part` in it.
    pub(crate) fn wait_for_output(&mut self, part: &str) -> String {
        match self.out.until(part) {
            Some(line) => line,
            None => panic!("no output with {part:?}:\n{}{}", self.out.seen, self.err.rest()),
        }
    }

    /// The next line of standard error with `part` in it.
    pub(crate) fn wait_for_log(&mut self, part: &str) -> String {
        self.err.until(part).unwrap_or_else(|| panic!("no log with {part:?}:\n{}", self.err.seen))
    }

    /// Whether it has come to its end by now.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for the end.
    pub(crate) fn ended(mut self) -> Ended {
        let (out, err) = (self.out.rest(), self.err.rest());
        Ended { status: self.child.wait().unwrap(), out, err }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The lines of one stream, read by a thread of its own so that the process never waits for us.
#[derive(Debug)]
struct Lines {
    coming: Receiver<String>,
    seen: String,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (to, coming) = channel();
        thread::spawn(move || {
            let lines = BufReader::new(stream).lines().map_while(Result::ok);
            // Nobody hears any more: the process is about to be killed.
            lines.map(|line| to.send(line)).take_while(Result::is_ok).for_each(drop);
        });
        Self { coming, seen: String::new() }
    }

    fn next(&mut self, deadline: Instant) -> Option<String> {
        let left = deadline.saturating_duration_since(Instant::now());
        let line = self.coming.recv_timeout(left).ok()?;
        self.seen.push_str(&line);
        self.seen.push('\n');
        Some(line)
    }

    /// `None` when the stream ended without it, or the bound came first.
    fn until(&mut self, part: &str) -> Option<String> {
        let deadline = Instant::now() + BOUND;
        std::iter::from_fn(|| self.next(deadline)).find(|line| line.contains(part))
    }

    /// Everything from the first line on, once the stream has ended.
    fn rest(&mut self) -> String {
        let deadline = Instant::now() + BOUND;
        while self.next(deadline).is_some() {}
        assert!(Instant::now() < deadline, "still running after {BOUND:?}:\n{}", self.seen);
        std::mem::take(&mut self.seen)
    }
}
