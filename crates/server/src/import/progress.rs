//! How far an import has come: a bar that grows on a terminal, and now and then a plain line elsewhere.

use std::io::{IsTerminal as _, Write as _, stderr};

use super::checkpoint::Counts;

/// Elsewhere than on a terminal, a line for so many hundredths of the file.
const STEP: u64 = 5;
/// On one, a bar of so many characters.
const BAR: u64 = 40;

#[derive(Debug)]
pub(super) struct Progress {
    length: u64,
    on_terminal: bool,
    told: u64,
}

impl Progress {
    pub(super) fn new(length: u64) -> Self {
        Self { length, on_terminal: stderr().is_terminal(), told: 0 }
    }

    /// The import has come so far in the file.
    pub(super) fn tell(&mut self, offset: u64, counts: Counts) {
        let hundredths = offset.saturating_mul(100).checked_div(self.length).unwrap_or(100);
        let Counts { imported, already, conflicts, invalid } = counts;
        let rows = imported + already + conflicts + invalid;
        let line = format!("{hundredths:>3} %, {rows} rows, {} at fault", conflicts + invalid);
        if self.on_terminal {
            let bar = (1..=BAR).map(|cell| if cell * 100 <= hundredths * BAR { '#' } else { '.' });
            self.show(&format!("\r\x1b[K[{}] {line}", bar.collect::<String>()));
        } else if hundredths >= self.told + STEP {
            self.told = hundredths;
            self.show(&format!("{line}\n"));
        }
    }

    /// A row that is at fault, or the like: a line on standard output, past the one that moves.
    pub(super) fn problem(&self, line: &str) {
        self.end();
        super::println(line);
    }

    /// Leaves the line to others.
    pub(super) fn end(&self) {
        if self.on_terminal {
            self.show("\r\x1b[K");
        }
    }

    fn show(&self, text: &str) {
        let mut out = stderr().lock();
        // Nobody may be looking.
        drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }
}
