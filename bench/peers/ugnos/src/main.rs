//! The crate ugnos under the load of the write benches: what ../../write_load.h says, in Rust. It has no batches, so a
//! batch is its points one by one. Its log syncs whenever so many records are pending: `sync` has a batch of them,
//! `interval` about what it writes in 100 ms. Segments are off, which is its quickest way; as by default, a thread makes
//! what was inserted visible once a second.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ugnos::{DbConfig, DbCore, TagSet};

const HOSTS: u64 = 100;
const CPUS: u64 = 10;
const SERIES: u64 = HOSTS * CPUS;
const BEGIN_NS: u64 = 1_704_067_200_000_000_000;
const STEP_NS: u64 = 10_000_000_000;
const WALK: usize = 4096;
const CHECK: u64 = 16; // batches between two looks at the clock
const INTERVAL_RECORDS: usize = 30_000;

struct Load {
    folder: PathBuf,
    durability: String,
    batch: u64,
    threads: usize,
    points: u64,
    seconds: f64,
}

fn load() -> Load {
    let mut words = env::args().skip(1);
    let mut load = Load {
        folder: words.next().expect("want a folder").into(),
        durability: "sync".into(),
        batch: SERIES,
        threads: 1,
        points: SERIES,
        seconds: 10.0,
    };
    while let Some(name) = words.next() {
        let value = words.next().unwrap_or_else(|| panic!("want a value after {name}"));
        let number = || {
            value
                .parse()
                .unwrap_or_else(|_| panic!("want a number after {name}; got {value}"))
        };
        match name.as_str() {
            "--durability" => load.durability = value,
            "--batch" => load.batch = number(),
            "--threads" => load.threads = number() as usize,
            "--points" => load.points = number(),
            "--seconds" => load.seconds = value.parse().expect("want seconds"),
            _ => panic!("unknown option {name}"),
        }
    }
    load
}

/// A walk of hundredths.
fn walk() -> Vec<f64> {
    let mut state = 20_240_101_u64;
    let mut at = 5_000_i64;
    (0..WALK)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            at += ((state >> 33) % 101) as i64 - 50;
            at as f64 / 100.0
        })
        .collect()
}

fn tags() -> Vec<TagSet> {
    (0..SERIES)
        .map(|series| {
            TagSet::from([
                ("host".to_string(), format!("host{}", series / CPUS)),
                ("cpu".to_string(), format!("cpu{}", series % CPUS)),
            ])
        })
        .collect()
}

/// The configuration that gives the durability, and its name for the table.
fn configured(load: &Load) -> (DbConfig, String) {
    let records = match load.durability.as_str() {
        "none" => 0,
        "interval" => INTERVAL_RECORDS,
        _ => load.batch as usize,
    };
    let config = DbConfig {
        data_dir: load.folder.clone(),
        enable_wal: records > 0,
        wal_buffer_size: records,
        enable_snapshots: false,
        enable_segments: false,
        ..DbConfig::default()
    };
    let setting = if records > 0 {
        format!("wal_buffer_size = {records}")
    } else {
        "enable_wal = false".into()
    };
    (config, setting)
}

/// Writes batch after batch until they are used up or the time is: points and their sum.
fn write(db: &DbCore, load: &Load, next: &AtomicU64, walk: &[f64], tags: &[TagSet], begin: Instant) -> (u64, f64) {
    let (mut points, mut sum) = (0, 0.0);
    for count in 0.. {
        if count % CHECK == 0 && begin.elapsed().as_secs_f64() >= load.seconds {
            break;
        }
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= load.points / load.batch {
            break;
        }
        for point in number * load.batch..(number + 1) * load.batch {
            let (series, round) = (point % SERIES, point / SERIES);
            let value = walk[((series * 61 + round) as usize) % WALK];
            db.insert("cpu", BEGIN_NS + round * STEP_NS, value, tags[series as usize].clone())
                .expect("insert");
            points += 1;
            sum += value;
        }
    }
    (points, sum)
}

fn totals(db: &DbCore) -> (u64, f64) {
    db.flush().expect("flush");
    let rows = db.query("cpu", 0..u64::MAX, None).expect("query");
    (rows.len() as u64, rows.iter().map(|(_, value)| value).sum())
}

fn peak_memory_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

/// Of all threads together, as the kernel counts: in hundredths.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or("");
    let ticks = |field: usize| {
        after_name
            .split(' ')
            .nth(field)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}

fn main() {
    let load = load();
    let (config, setting) = configured(&load);
    let db = DbCore::with_config(config).expect("open");
    let (walk, tags, next) = (walk(), tags(), AtomicU64::new(0));
    let ready_bytes = peak_memory_bytes();
    let (begin, cpu_begin) = (Instant::now(), cpu_seconds());
    let written = thread::scope(|scope| {
        let one = || write(&db, &load, &next, &walk, &tags, begin);
        let threads: Vec<_> = (0..load.threads).map(|_| scope.spawn(one)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("write"))
            .fold((0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1))
    });
    let (elapsed, cpu_s): (Duration, f64) = (begin.elapsed(), cpu_seconds() - cpu_begin);
    let peak_bytes = peak_memory_bytes();
    let found = totals(&db);
    assert!(
        found.0 == written.0 && (found.1 - written.1).abs() <= 1e-6 * written.1.abs(),
        "wrote {written:?} (points, sum), found {found:?}"
    );
    println!(
        "{{\"setting\": \"{setting}\", \"points\": {}, \"seconds\": {}, \"cpu_s\": {cpu_s}, \"ready_bytes\": {ready_bytes}, \
         \"peak_bytes\": {peak_bytes}}}",
        written.0,
        elapsed.as_secs_f64()
    );
}
