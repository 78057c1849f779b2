//! The process is killed (SIGKILL) at each of its points of storing in turn, before and after the write: after planning,
//! after sending and before recording, and everywhere else. A new process goes on with the same SQLite file. At the end
//! the marketplace's own record and the centre's journal say that nothing was lost and nothing done twice.
#![cfg(all(unix, feature = "qoo10", feature = "sqlite"))]
#![allow(clippy::unwrap_used)]

mod model;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Fuse, FusedStore};
use sales_channels::Result;
use sales_channels::adapters::qoo10::{CERTIFICATION_KEY, Config, Qoo10};
use sales_channels::channel::{Credentials, Outcome};
use sales_channels::fulfillment::{FulfillmentCenter, Instruction, ShipmentPage, StockLevel};
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::hub::{Account, Hub};
use sales_channels::model::{AccountId, Clock, ManualClock, Sku};
use sales_channels::options::{OptionSet, StockShare};
use sales_channels::store::{SqliteStore, Store};
use sales_channels_sandbox::faces::qoo10 as face;
use sales_channels_sandbox::market::{ItemDraft, LineDraft, LineNumber, OrderDraft};
use sales_channels_sandbox::{Amount, Sandbox};

/// A centre whose journal outlives the process: a line for each parcel that it packs.
#[derive(Debug)]
struct JournalCentre(PathBuf);

impl JournalCentre {
    fn packed(&self) -> Vec<String> {
        std::fs::read_to_string(&self.0).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

#[async_trait]
impl FulfillmentCenter for JournalCentre {
    fn name(&self) -> &str {
        "journal"
    }

    async fn stock_levels(&self, skus: &[Sku]) -> Result<Vec<StockLevel>> {
        Ok(skus.iter().map(|sku| StockLevel { sku: sku.clone(), on_hand: Some(100) }).collect())
    }

    async fn instruct(&self, instructions: &[Instruction<'_>]) -> Result<Vec<Outcome<()>>> {
        let packed = self.packed();
        let mut journal = OpenOptions::new().create(true).append(true).open(&self.0).unwrap();
        Ok(instructions
            .iter()
            .map(|instruction| {
                if packed.contains(&instruction.key) {
                    return Outcome::AlreadyDone;
                }
                writeln!(journal, "{}", instruction.key).unwrap();
                Outcome::Done(())
            })
            .collect())
    }

    async fn shipments(&self, _: &AccountId, _: Option<&str>) -> Result<ShipmentPage> {
        Ok(ShipmentPage::default())
    }
}

/// What a child is told in its environment.
fn told(name: &str) -> Option<String> {
    std::env::var(format!("KILL_TEST_{name}")).ok()
}

/// The child: one cycle, standing still for ever at the point where it is to be killed.
#[test]
fn child() {
    let Some(url) = told("URL") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let now: DateTime<Utc> = told("NOW").unwrap().parse().unwrap();
        let folder = PathBuf::from(told("FOLDER").unwrap());
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(now));
        let client = HttpClient::new(HttpSettings::default()).unwrap().with_clock(Arc::clone(&clock));
        let config = Config::japan().unwrap().at(url.parse().unwrap()).with_calls_per_second(1000);
        let credentials = Credentials::new().with(CERTIFICATION_KEY, face::KEY);
        let channel = Qoo10::new(&client, "shop", &credentials, config).unwrap();
        let options = OptionSet {
            ship_offset: Some(1),
            fulfilment_instruction: Some(true),
            stock_sync: Some(StockShare { share_percent: 50, reserve: 0 }),
            ..OptionSet::default()
        };
        let fuse = Arc::new(Fuse::default());
        let sqlite: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.join("kill.db")).await.unwrap());
        let store = Arc::new(FusedStore::new(sqlite, Arc::clone(&fuse)));
        let hub = Hub::builder(store).clock(clock).build();
        let account = Account::new("shop", Arc::new(channel))
            .with_options(options)
            .with_centre(Arc::new(JournalCentre(folder.join("journal"))));
        hub.connect(account).unwrap();
        if let Some(point) = told("POINT") {
            fuse.arm(point.parse().unwrap());
        }
        if fuse.cut(hub.cycle(&"shop".into())).await {
            println!("\nSTANDING");
            std::io::stdout().flush().unwrap();
            std::thread::sleep(std::time::Duration::from_secs(60));
            panic!("nobody killed this process");
        }
        println!("\nENDED");
    });
}

/// Runs a child up to a point and kills it there; tells whether it got to that point.
fn run_child(url: &str, folder: &Path, now: DateTime<Utc>, point: Option<usize>) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env("KILL_TEST_URL", url)
        .env("KILL_TEST_FOLDER", folder)
        .env("KILL_TEST_NOW", now.to_rfc3339())
        .env_remove("KILL_TEST_POINT")
        .stdout(Stdio::piped());
    if let Some(point) = point {
        command.env("KILL_TEST_POINT", point.to_string());
    }
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in lines.map_while(std::result::Result::ok) {
        if line == "STANDING" {
            // std's kill is SIGKILL: no destructor runs, no file is closed in order.
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
    }
    assert!(child.wait().unwrap().success(), "the child failed");
    false
}

struct Scene {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
    orders: Vec<LineNumber>,
    claimed: LineNumber,
    item: sales_channels_sandbox::market::ItemId,
}

async fn scene(now: DateTime<Utc>) -> Scene {
    let sandbox = Sandbox::builder().face(face::Qoo10::new()).now(now).start().await.unwrap();
    let market = sandbox.market();
    let mut cap = ItemDraft::simple("CAP-02", "キャップ", Amount::whole(2480), 10);
    cap.sale_ends = Some("2027-12-31".parse().unwrap());
    let item = market.list(cap).unwrap();
    let place = |quantity| {
        let draft = OrderDraft::of(vec![LineDraft::of(item, quantity)]).paid_at(now - TimeDelta::minutes(30));
        market.lines_of(market.buyer().place(draft).unwrap())[0]
    };
    let orders = vec![place(1), place(2), place(3)];
    let claimed = place(1);
    market.buyer().request_cancel(claimed, "注文間違い").unwrap();
    Scene { folder: tempfile::tempdir().unwrap(), orders, claimed, item, sandbox }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_nothing_and_repeats_nothing() {
    let now: DateTime<Utc> = "2026-11-24T01:00:00Z".parse().unwrap();
    let mut points = 0;
    for point in 1.. {
        let scene = scene(now).await;
        let url = scene.sandbox.base_url("qoo10").unwrap();
        let folder = scene.folder.path().to_owned();
        let killed = tokio::task::spawn_blocking(move || {
            let killed = run_child(&url, &folder, now, Some(point));
            // After the lease of the dead has run out; once to settle, once to see that it is quiet.
            for hours in 1..=2 {
                run_child(&url, &folder, now + TimeDelta::hours(hours), None);
            }
            killed
        })
        .await
        .unwrap();

        let market = scene.sandbox.market();
        for order in &scene.orders {
            assert_eq!(market.confirmations(*order), 1, "order {order}, killed at point {point}");
            assert_eq!(market.ship_dates_set(*order).len(), 1, "order {order}, killed at point {point}");
        }
        assert_eq!(market.confirmations(scene.claimed), 0, "killed at point {point}");
        let mut packed: BTreeMap<String, u32> = BTreeMap::new();
        for key in JournalCentre(scene.folder.path().join("journal")).packed() {
            *packed.entry(key).or_default() += 1;
        }
        assert_eq!(packed.len(), scene.orders.len(), "killed at point {point}");
        assert!(packed.values().all(|times| *times == 1), "killed at point {point}: {packed:?}");
        // 100 on hand, 6 are ordered, and the one whose buyer wants out holds its piece until it is cancelled.
        assert_eq!(market.quantity(scene.item, None), Some((100 - 7) / 2), "killed at point {point}");
        if !killed {
            break;
        }
        points = point;
    }
    assert!(points >= 10, "only {points} points were reached");
}
