//! What the contestants of `benches/peers/run` have in common: a program with named cases that measures one when it is told so.
//!
//! It says `version …`, `fact NAME NUMBER`, `case NAME`, each on a line, then `ready`. Then it reads lines `measure NAME SECONDS`,
//! and answers each with microseconds a call. A case is set up at its first measurement. So all contestants live side by side, one runs at a time,
//! and the caller goes round and round.

pub mod networks;

use std::collections::HashMap;
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::Instant;

/// Measures for about so many seconds; yields microseconds a call.
type Measure = Box<dyn FnMut(f64) -> f64>;

enum Case {
    New(Box<dyn FnOnce() -> Measure>),
    Ready(Measure),
}

/// A program's cases.
#[derive(Default)]
pub struct Contest {
    cases: HashMap<String, Case>,
}

impl Contest {
    /// No cases yet, of a contestant of this version.
    pub fn new(version: &str) -> Self {
        println!("version {version}");
        Self::default()
    }

    /// A number that the report needs: bytes, floating-point operations.
    pub fn fact(&mut self, name: &str, value: usize) {
        println!("fact {name} {value}");
    }

    /// A case: `setup` makes what is measured, call by call.
    pub fn case<R, F: FnMut() -> R + 'static>(&mut self, name: &str, setup: impl FnOnce() -> F + 'static) {
        self.timed(name, || {
            let mut call = setup();
            move |seconds| {
                slice(seconds, || {
                    black_box(call());
                })
            }
        });
    }

    /// A case that takes its own time: `setup` makes a function from about so many seconds to microseconds.
    pub fn timed<F: FnMut(f64) -> f64 + 'static>(&mut self, name: &str, setup: impl FnOnce() -> F + 'static) {
        println!("case {name}");
        self.cases.insert(name.into(), Case::New(Box::new(|| Box::new(setup()))));
    }

    /// Answers until there is no more input.
    pub fn serve(mut self) {
        println!("ready");
        let _ = std::io::stdout().flush();
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let ["measure", name, seconds] = words[..] else { panic!("what is `{line}`?") };
            let (name, case) = self.cases.remove_entry(name).unwrap_or_else(|| panic!("no case `{name}`"));
            let mut measure = match case {
                Case::New(setup) => setup(),
                Case::Ready(measure) => measure,
            };
            let microseconds = measure(seconds.parse().expect("seconds are a number"));
            self.cases.insert(name, Case::Ready(measure));
            println!("{microseconds}");
            let _ = std::io::stdout().flush();
        }
    }
}

/// The median over blocks of about a millisecond, in microseconds a call, after a warm-up of a tenth of the time.
///
/// A call that takes longer than the whole slice is its own warm-up.
fn slice(seconds: f64, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut calls = 0;
    while calls == 0 || start.elapsed().as_secs_f64() < 0.1 * seconds {
        call();
        calls += 1;
    }
    let guess = start.elapsed().as_secs_f64() / f64::from(calls);
    if guess > seconds {
        return guess * 1e6;
    }
    let block = (1e-3 / guess).max(1.0) as usize;
    let mut blocks = Vec::new();
    let start = Instant::now();
    while blocks.is_empty() || start.elapsed().as_secs_f64() < seconds {
        let start = Instant::now();
        for _ in 0..block {
            call();
        }
        blocks.push(start.elapsed().as_secs_f64() / block as f64 * 1e6);
    }
    median(&mut blocks)
}

/// The middle one.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Numbers between −1 and 1 that are no pattern: inputs.
pub fn noise(len: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}
