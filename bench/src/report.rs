//! What was found, as Markdown: the same for the terminal and for the file.

use std::fmt::{self, Display, Formatter};

use crate::{
    Plan,
    call::{PREFIX_BYTES, Question},
    findings::{Findings, Paired, Series},
    instructions::Instructions,
    load::{CONNECTIONS, STREAMS},
    machine::Machine,
    rounds::{ATTEMPTS, BUSY_PERCENT_LEAST},
    statistics::{Interval, Spread},
};

/// Everything there is to say about a run.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) plan: Plan,
    pub(crate) machine: Machine,
    pub(crate) question: &'a Question,
    pub(crate) findings: &'a Findings,
    pub(crate) instructions: Option<Instructions>,
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.headline(f)?;
        self.table(f)?;
        self.method(f)?;
        self.content(f)?;
        self.place(f)
    }
}

impl Report<'_> {
    fn headline(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Findings { cpu_ratio, throughput_ratio, added_micros, counting_ratio, .. } =
            self.findings;
        writeln!(f, "# What a Verify costs\n")?;
        writeln!(f, "Written by `cargo xtask bench --report docs/performance.md`; do not edit.\n")?;
        writeln!(f, "**Keyward's Verify at {:.2} of the empty service.**\n", cpu_ratio.median)?;
        writeln!(f, "| Keyward beside the empty service | median | 95 % interval |")?;
        writeln!(f, "|---|---:|---:|")?;
        writeln!(f, "| processor time a call, empty ÷ Keyward (1 = as cheap) | {cpu_ratio:.3} |")?;
        writeln!(f, "| calls a second, Keyward ÷ empty | {throughput_ratio:.3} |")?;
        writeln!(f, "| processor time that Keyward adds to a call, µs | {added_micros:.2} |")?;
        writeln!(
            f,
            "| processor time a call, Keyward without counting ÷ Keyward (the goal is 0.97) | {counting_ratio:.3} |"
        )?;
        Ok(())
    }

    fn table(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Findings { keyward, uncounted, empty, handicapped, .. } = self.findings;
        let handicapped_name = format!("the empty service + {} µs", self.plan.handicap_us);
        writeln!(
            f,
            "\n| min / median / max | processor time a call, µs | calls a second | core busy, % |"
        )?;
        writeln!(f, "|---|---:|---:|---:|")?;
        for (name, series) in [
            ("Keyward", keyward),
            ("Keyward without counting", uncounted),
            ("the empty service", empty),
            (&*handicapped_name, handicapped),
        ] {
            let Series { cpu_micros, calls_per_second, busy_percent } = series;
            writeln!(
                f,
                "| {name} | {cpu_micros:.2} | {calls_per_second:.0} | {busy_percent:.1} |"
            )?;
        }
        if let Some(Instructions { keyward, empty }) = self.instructions {
            write!(
                f,
                "
Instructions a call, outside the kernel: Keyward {keyward}, the empty service {empty}. valgrind hides the processor's own SHA instructions, so that the digests weigh several times more here than in the times above.
"
            )?;
        }
        Ok(())
    }

    fn method(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Plan { pairs, seconds, handicap_us } = &self.plan;
        let profile = &self.machine.profile;
        let Paired { median, interval: Interval { low, high } } = self.findings.handicap_micros;
        let request = PREFIX_BYTES + self.question.request.len();
        let answer = PREFIX_BYTES + self.question.answer.len();
        write!(
            f,
            "
## How

- Both are tonic services with the same settings, built in one go (profile `{profile}`), and answer the same {request} bytes under the same `authorization` header with the same {answer} bytes. The empty service decodes the request, looks at nothing, and encodes a copy of a canned answer.
- A server runs on one core with one worker thread, h2load on another core, over loopback without TLS: {CONNECTIONS} connections, {STREAMS} calls under way on each. A load in which the server was less than {BUSY_PERCENT_LEAST} % busy does not count and is repeated, up to {ATTEMPTS} times; then the run is invalid.
- Processor time is what the kernel's scheduler accounts to all threads of the server (`schedstat`, user and system, resolution 1 ns), over the calls answered in that time.
- {pairs} rounds of {seconds} s for each server, in turn, every second round backwards. Ratios and differences are taken within a round; the interval is the one of order statistics for a median.
- Before and after each load a real client asks, and the answer must be Keyward's first answer byte for byte; during a load every call must be answered, and the bytes that came must add up.
- Can it see anything? The empty service, slowed by {handicap_us} µs a call, was measured to be slower by **{median:.2} µs** ({low:.2} to {high:.2}). A run in which that does not show is invalid.
"
        )
    }

    fn content(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "
## What a call does

Included: the caller's authentication by service key from memory (`keyward.verify`), the digest and look-up of the presented secret, the verdict VALID with one required scope, the whole answer, the layer that gives errors their form, the routing among all of Keyward's services, the counting of the request, and the flush of what was counted each second. Without counting is the same server, asked with `skip_usage`; the caller's own last use is noted all the same.

Not included, because it is not there yet: telemetry, the lease. Not included, because of how it is measured: TLS, a large index (the store holds one customer's key, and all of it stays in the processor's caches), the network.

Most of a call is HTTP/2, tonic and the kernel's sockets, which both services pay. Of its own Keyward makes two keyed digests (a SHA-256, and an HMAC-SHA-256 over it), of the caller's secret and of the customer's; finds both records; and builds the answer. {} calls are under way at once, so that many share one turn of the kernel; with fewer, a call costs more on both sides.
",
            CONNECTIONS * STREAMS
        )
    }

    fn place(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Machine { profile: _, processor, cores, kernel, date, commit, rustc, tonic, h2load } =
            &self.machine;
        write!(
            f,
            "
## Where and when

{date}, commit {commit}. {processor}, {cores} cores, Linux {kernel}; Keyward {}, tonic {tonic}, {rustc}, {h2load}. Figures of another machine compare by their ratios alone.
",
            env!("CARGO_PKG_VERSION")
        )
    }
}

impl Display for Spread {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        let Self { min, median, max } = self;
        write!(f, "{min:.digits$} / {median:.digits$} / {max:.digits$}")
    }
}

impl Display for Paired {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        let Self { median, interval: Interval { low, high } } = self;
        write!(f, "{median:.digits$} | {low:.digits$} to {high:.digits$}")
    }
}
