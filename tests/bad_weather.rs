//! Bad input and bad weather end to end: the hub over SQLite and the Qoo10 adapter, against the sandbox. Each gives a
//! clear error, nothing is lost, nothing is done twice.
#![cfg(all(feature = "qoo10", feature = "sqlite"))]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sales_channels::ErrorKind;
use sales_channels::adapters::qoo10::{CERTIFICATION_KEY, Config, Qoo10};
use sales_channels::channel::{CancelAction, CancelReason, Credentials, MemoryVault};
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::hub::{Account, CycleReport, End, Hub};
use sales_channels::model::{AccountId, Clock, ManualClock};
use sales_channels::options::OptionSet;
use sales_channels::store::{HealthLevel, SqliteStore};
use sales_channels_sandbox::Sandbox;
use sales_channels_sandbox::faces::qoo10 as face;
use sales_channels_sandbox::fault::{Effect, Fault};
use sales_channels_sandbox::market::{LineNumber, OrderDraft};
use sales_channels_sandbox::sample::{SampleOrders, import_orders, list_catalogue};

struct Shop {
    sandbox: Sandbox,
    face: face::Qoo10,
    clock: Arc<ManualClock>,
    store: Arc<SqliteStore>,
    _folder: tempfile::TempDir,
}

fn account() -> AccountId {
    AccountId::from("shop")
}

impl Shop {
    async fn open() -> Self {
        let now: DateTime<Utc> = "2026-11-24T01:00:00Z".parse().unwrap();
        let face = face::Qoo10::new();
        let sandbox = Sandbox::builder().face(face.clone()).now(now).start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("shop.db")).await.unwrap());
        Self { sandbox, face, clock: Arc::new(ManualClock::at(now)), store, _folder: folder }
    }

    fn channel(&self, key: &str) -> Arc<Qoo10> {
        let mut settings = HttpSettings::default();
        settings.base_pause = Duration::from_millis(1);
        settings.max_response_bytes = 4 << 20;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let client = HttpClient::new(settings).unwrap().with_clock(clock);
        let config = Config::japan()
            .unwrap()
            .at(self.sandbox.base_url("qoo10").unwrap().parse().unwrap())
            .with_calls_per_second(1000);
        let credentials = Credentials::new().with(CERTIFICATION_KEY, key);
        Arc::new(Qoo10::new(&client, account(), &credentials, config).unwrap())
    }

    fn hub(&self, key: &str, options: OptionSet) -> Hub {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let hub = Hub::builder(self.store.clone()).clock(clock).build();
        let vault = Arc::new(MemoryVault::default());
        hub.connect(Account::new(account(), self.channel(key)).with_options(options).with_vault(vault))
            .unwrap();
        hub
    }

    async fn cycle(&self, hub: &Hub) -> CycleReport {
        let report = hub.cycle(&account()).await.unwrap();
        assert!(report.tally.adds_up(), "OS-13: {report}");
        report
    }

    fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
        self.sandbox.advance(time);
    }

    fn place(&self) -> LineNumber {
        let market = self.sandbox.market();
        market.lines_of(market.buyer().place(OrderDraft::example()).unwrap())[0]
    }
}

#[tokio::test]
async fn a_wrong_and_an_expired_key_are_told_apart_and_cured_by_renewal() {
    let shop = Shop::open().await;
    let line = shop.place();
    shop.pass(TimeDelta::minutes(1));
    let wrong = shop.hub("no such key", OptionSet::default());
    let report = shop.cycle(&wrong).await;
    assert_eq!((report.end, report.health), (End::Paused, HealthLevel::Paused));
    assert_eq!(report.error.unwrap().kind(), ErrorKind::Unauthorized);

    shop.face.set_key(face::KEY, face::KeyState::Expired);
    let hub = shop.hub(face::KEY, OptionSet::default());
    let error = shop.cycle(&hub).await.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::CredentialExpired);
    assert!(error.to_string().contains("renew"), "{error}");
    assert!(!format!("{error:?}").contains(face::KEY), "no secret in errors");

    shop.face.set_key("fresh-key", face::KeyState::Active);
    hub.renew_credentials(&account(), Credentials::new().with(CERTIFICATION_KEY, "fresh-key")).await.unwrap();
    let report = shop.cycle(&hub).await;
    assert_eq!((report.health, report.tally.linked), (HealthLevel::Ok, 1), "{report}");
    assert_eq!(shop.sandbox.market().confirmations(line), 1);
}

#[tokio::test]
async fn every_kind_of_bad_answer_loses_nothing() {
    let bad = [
        Fault::status(500),
        Fault::status(502),
        Fault::status_with_retry_after(429, 1),
        Fault::cut(),
        Fault::new(Effect::Html),
        Fault::new(Effect::Empty),
        Fault::new(Effect::Garbage),
        Fault::new(Effect::Truncated),
        Fault::new(Effect::Huge { bytes: 100 << 20, announced: true }),
        Fault::new(Effect::Huge { bytes: 100 << 20, announced: false }),
    ];
    for fault in bad {
        let shop = Shop::open().await;
        let hub = shop.hub(face::KEY, OptionSet::default());
        let line = shop.place();
        shop.pass(TimeDelta::minutes(1));
        shop.sandbox.faults().next("qoo10", 1000, fault);
        let report = shop.cycle(&hub).await;
        assert_eq!(report.tally.linked, 0, "{fault:?}: {report}");
        assert!(report.error.is_some(), "{fault:?}: silence is a bug");
        shop.sandbox.faults().clear();
        shop.pass(TimeDelta::hours(1));
        let report = shop.cycle(&hub).await;
        assert_eq!((report.tally.linked, report.health), (1, HealthLevel::Ok), "{fault:?}: {report}");
        assert_eq!(shop.sandbox.market().confirmations(line), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn lost_answers_of_writes_are_settled_by_reading() {
    let shop = Shop::open().await;
    let hub = shop.hub(face::KEY, OptionSet { ship_offset: Some(2), ..OptionSet::default() });
    let lines: Vec<LineNumber> = (0..5).map(|_| shop.place()).collect();
    shop.pass(TimeDelta::minutes(1));
    for operation in ["ShippingBasic.SetSellerCheckYNBulk", "ShippingBasic.SetSendingInfoBulk"] {
        shop.sandbox.faults().next_of("qoo10", operation, 4, Fault::response_lost());
    }
    let report = shop.cycle(&hub).await;
    assert_eq!(report.tally.unknown, 5, "{report}");
    for _ in 0..2 {
        shop.pass(TimeDelta::hours(1));
        shop.cycle(&hub).await;
    }
    for line in &lines {
        assert_eq!(shop.sandbox.market().confirmations(*line), 1);
        assert_eq!(shop.sandbox.market().ship_dates_set(*line).len(), 1);
    }

    use sales_channels::channel::Tracking;
    use sales_channels::model::PlannedDispatch;
    let parcels = |n: usize| {
        let tracking = Tracking::new("ヤマト運輸", format!("4000{n}"));
        PlannedDispatch::whole(format!("parcel-{n}"), Some(tracking), shop.clock.now())
    };
    let all: Vec<_> =
        lines.iter().enumerate().map(|(n, line)| (line.to_string().as_str().into(), parcels(n))).collect();
    let acted = hub.dispatch(&account(), all.clone()).await.unwrap();
    assert!(acted.iter().all(|a| a.result.as_ref().is_err_and(|e| e.outcome_unknown())), "{acted:?}");
    shop.pass(TimeDelta::hours(1));
    shop.cycle(&hub).await;
    hub.dispatch(&account(), all).await.unwrap();
    for line in &lines {
        assert_eq!(shop.sandbox.market().dispatches(*line).len(), 1, "reported once");
    }
}

#[tokio::test]
async fn a_buyers_cancellation_is_seen_accepted_and_never_worked_against() {
    let shop = Shop::open().await;
    let hub = shop.hub(face::KEY, OptionSet::default());
    let line = shop.place();
    shop.pass(TimeDelta::minutes(1));
    shop.cycle(&hub).await;
    shop.sandbox.market().buyer().request_cancel(line, "気が変わった").unwrap();
    shop.pass(TimeDelta::hours(1));
    shop.cycle(&hub).await;
    let id = line.to_string().as_str().into();
    let window = sales_channels::model::Window::new(shop.clock.now() - TimeDelta::hours(5), shop.clock.now());
    let page = hub.cancel_requests(&account(), window, None).await.unwrap();
    assert!(page.requests.iter().any(|r| r.order == id && r.open), "{page:?}");
    hub.decide_cancel(&account(), &id, CancelAction::Accept, CancelReason::BuyerRequest, None).await.unwrap();
    let known = hub.order(&account(), &id).await.unwrap().unwrap();
    assert_eq!(known.order.status, sales_channels::model::OrderStatus::Cancelled);
}

#[tokio::test]
async fn open_orders_of_a_busy_day_are_read_again_with_few_calls_and_nothing_is_overlooked() {
    let shop = Shop::open().await;
    let manual = OptionSet {
        confirmation: Some(sales_channels::options::Confirmation::Manual),
        delivery_tracking: Some(sales_channels::options::DeliveryTracking::AllCollected),
        ..OptionSet::default()
    };
    let hub = shop.hub(face::KEY, manual);
    let lines: Vec<LineNumber> = (0..40).map(|_| shop.place()).collect();
    shop.pass(TimeDelta::minutes(1));
    assert_eq!(shop.cycle(&hub).await.tally.linked, 40);
    let market = shop.sandbox.market();
    market.buyer().request_cancel(lines[3], "x").unwrap();
    market.back_office().confirm(lines[5], None).unwrap();
    market.back_office().confirm(lines[7], None).unwrap();
    market.back_office().ship_line(lines[7], "ヤマト運輸", "4000").unwrap();
    market.back_office().cancel(lines[9], "x").unwrap();
    shop.pass(TimeDelta::hours(1));
    let single = "ShippingBasic.GetShippingAndClaimInfoByOrderNo_V2";
    let before = shop.sandbox.received("qoo10", single).unwrap();
    let report = shop.cycle(&hub).await;
    assert_eq!(report.tally.reread, 40, "{report}");
    let singles = shop.sandbox.received("qoo10", single).unwrap() - before;
    assert!((2..=4).contains(&singles), "only what is no longer open is read by itself: {singles}");
    use sales_channels::model::{CancelState, OrderStatus};
    for (n, status, cancel) in [
        (0, OrderStatus::New, CancelState::None),
        (3, OrderStatus::New, CancelState::Requested),
        (5, OrderStatus::Confirmed, CancelState::None),
        (7, OrderStatus::Shipped, CancelState::None),
        (9, OrderStatus::Cancelled, CancelState::None),
    ] {
        let known = hub.order(&account(), &lines[n].to_string().as_str().into()).await.unwrap().unwrap();
        assert_eq!((known.order.status, known.order.cancel), (status, cancel), "order {n}");
    }
}

#[tokio::test]
async fn a_busy_day_is_linked_whole_over_many_cycles() {
    let shop = Shop::open().await;
    let start = shop.clock.now();
    let market = shop.sandbox.market();
    let catalogue = list_catalogue(market).unwrap();
    let orders = SampleOrders { from: Some(start), spacing_seconds: 200, ..SampleOrders::new(150, 7) };
    import_orders(market, &catalogue, &orders).unwrap();
    let hub = shop.hub(
        face::KEY,
        OptionSet { max_orders_per_cycle: Some(40), ship_offset: Some(1), ..OptionSet::default() },
    );
    let mut linked = 0;
    for _ in 0..14 {
        shop.pass(TimeDelta::hours(1));
        linked += shop.cycle(&hub).await.tally.linked;
    }
    let lines: Vec<LineNumber> =
        market.read(|state| state.orders().iter().flat_map(|o| o.lines.iter().map(|l| l.number)).collect());
    assert_eq!(linked, lines.len() as u64);
    assert!(lines.iter().all(|line| market.confirmations(*line) == 1));
}
