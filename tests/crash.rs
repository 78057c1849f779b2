//! The process is cut off at each of its I/O points in turn: what was done to the outside is done once, and the end
//! state is that of a run that was never cut.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Test helpers outside of test functions.

mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use model::{Fuse, World, at};
use sales_channels::channel::UnreadableRow;
use sales_channels::fulfillment::{FulfillmentCenter, instruction_key};
use sales_channels::hub::Hub;
use sales_channels::model::{
    AccountId, CancelState, Clock, ListingKey, ListingLink, OrderId, OrderRecord, OrderStatus, Sku, Step,
};
use sales_channels::options::{Reconcile, StockShare};
use sales_channels::policy::SyncCursor;
use sales_channels::store::{AccountState, Commit, IssueKey, Lease, MemoryStore, Scan, Store};
use sales_channels::{Error, ErrorKind, Result};

const SKUS: [&str; 3] = ["TEE", "CUP", "MUG"];
/// Linked, confirmed and shipped by the centre.
const FULFILLED: [&str; 6] = ["A", "B", "F-paid-later", "H-sold-later", "K", "W-taken-back"];
/// Confirmed, and not the centre's: it does not stock the SKU.
const ORDINARY: &str = "G";
/// The buyer wants out from the beginning to the end.
const CANCELLING: &str = "C";
const UNREADABLE: &str = "E";

/// The hours of the script, at each of which something has happened and a cycle runs. The later ones only run what is
/// left: the account may link three orders in a cycle.
const HOURS: [&str; 9] = [
    "2026-11-24T10:00",
    "2026-11-24T11:00",
    "2026-11-24T12:00",
    "2026-11-24T13:00",
    "2026-11-24T14:00",
    "2026-11-25T01:00",
    "2026-11-25T05:00",
    "2026-11-25T06:00",
    "2026-11-25T07:00",
];

/// What differs between the scenarios.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Kind {
    /// The ship date has a call of its own.
    separate_date: bool,
    /// The first call of each operation fails; where it changes something, after it was done.
    lost_answers: bool,
    /// Someone changes quantities at the channel, and the daily comparison repairs them; one listing a call.
    repair: bool,
    /// The centre ships without numbers: the channel gives them, and the centre is told.
    unnumbered: bool,
}

const PLAIN: Kind = Kind { separate_date: false, lost_answers: false, repair: false, unnumbered: false };
const SEPARATE: Kind = Kind { separate_date: true, ..PLAIN };
const LOST: Kind = Kind { lost_answers: true, ..PLAIN };
const LOST_SEPARATE: Kind = Kind { separate_date: true, lost_answers: true, ..PLAIN };
const REPAIR: Kind = Kind { repair: true, ..PLAIN };
const UNNUMBERED: Kind = Kind { unnumbered: true, ..PLAIN };
const UNNUMBERED_LOST: Kind = Kind { unnumbered: true, lost_answers: true, ..PLAIN };

/// Where the store lives, and how it comes back after a restart.
enum Disk {
    Memory,
    #[cfg(feature = "sqlite")]
    Sqlite(tempfile::TempDir),
}

impl Disk {
    #[cfg(feature = "sqlite")]
    fn sqlite() -> Self {
        // These tests cut the process, not the power: a disk in memory is as good and much faster.
        let shm = std::path::Path::new("/dev/shm");
        Self::Sqlite(if shm.is_dir() {
            tempfile::tempdir_in(shm).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        })
    }

    async fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory => Arc::new(MemoryStore::new()),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(folder) => {
                let path = folder.path().join("orders.db");
                Arc::new(sales_channels::store::SqliteStore::open(path).await.unwrap())
            }
        }
    }

    /// After a restart of the process.
    async fn reopen(&self, old: &Arc<dyn Store>) -> Arc<dyn Store> {
        match self {
            Self::Memory => Arc::clone(old),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => self.open().await,
        }
    }
}

fn world_on(store: Arc<dyn Store>, kind: Kind) -> World {
    let mut world = World::on(store, HOURS[0]);
    world.options.fulfilment_instruction = Some(true);
    world.options.stock_sync = Some(StockShare { share_percent: 50, reserve: 1 });
    world.options.ship_offset = Some(1);
    world.options.max_orders_per_cycle = Some(3);
    world.market.switch(|s| {
        s.page = 2;
        s.batch = if kind.repair { 1 } else { 2 };
        s.ship_date = Some(!kind.separate_date);
    });
    world.options.reconcile = kind.repair.then_some(Reconcile::Repair);
    if kind.lost_answers {
        let lost = || Error::new(ErrorKind::TimedOut).with_unknown_effect();
        for operation in ["confirm", "set_ship_date", "dispatch", "set_stock"] {
            world.market.fail(operation, lost(), true);
        }
        world.market.fail("fetch", Error::new(ErrorKind::Unavailable), false);
        world.market.fail("read", Error::new(ErrorKind::TimedOut), false);
    }
    world.centre.set_on_hand("TEE", 40);
    world.centre.set_on_hand("CUP", 20);
    world
}

/// What happens outside before the cycle of this hour.
fn happen(world: &World, kind: Kind, hour: usize) {
    world.set(HOURS[hour]);
    let paid = at("2026-11-24T09:00");
    let market = &world.market;
    match hour {
        0 => {
            market.sell("A", "TEE", 2, paid);
            market.sell("B", "TEE", 1, paid);
            market.sell_with(CANCELLING, "CUP", 4, paid, |s| s.order.cancel = CancelState::Requested);
            market.sell_with(UNREADABLE, "TEE", 1, paid, |s| s.unreadable = true);
            market
                .sell_with("F-paid-later", "CUP", 2, paid, |s| s.order.status = OrderStatus::PendingPayment);
            market.sell(ORDINARY, "MUG", 1, paid);
            market.sell("K", "CUP", 3, paid);
            market.sell_with("W-taken-back", "TEE", 5, paid, |s| s.order.cancel = CancelState::Requested);
        }
        1 => {
            market.edit(&"W-taken-back".into(), |order| order.cancel = CancelState::None);
            market.sell("H-sold-later", "TEE", 1, at("2026-11-24T10:30"));
        }
        2 => market.edit(&"F-paid-later".into(), |order| order.status = OrderStatus::New),
        5 if world.options.reconcile.is_some() => {
            let mut inside = market.inside();
            for shown in inside.shown.values_mut() {
                *shown += 77;
            }
        }
        7 => market.edit(&"B".into(), |order| order.status = OrderStatus::Delivered),
        _ => {}
    }
    if kind.unnumbered {
        world.centre.ship_all_unnumbered(world.clock.now());
    } else {
        world.centre.ship_all("Yamato", world.clock.now());
    }
}

/// One cycle, as a process of its own if the last was cut.
async fn run(world: &World, hub: &Hub) -> bool {
    world.fuse.cut(async { hub.cycle(&world.account).await.unwrap() }).await
}

/// The whole scenario. Where the fuse blows, the process begins anew after its lease has ended, over the same disk.
async fn play(world: &mut World, disk: &Disk, kind: Kind, again: Option<usize>) {
    let mut hub = world.hub();
    let mut again = again;
    for hour in 0..HOURS.len() {
        happen(world, kind, hour);
        while run(world, &hub).await {
            world.fuse.disarm();
            world.clock.advance(TimeDelta::minutes(11));
            world.store = disk.reopen(&world.store).await;
            hub = world.hub();
            if let Some(n) = again.take() {
                world.fuse.arm(n);
            }
        }
    }
}

/// How far a step is, whenever and however.
fn stage(step: &Step) -> &'static str {
    match step {
        Step::None => "none",
        Step::Planned { .. } => "planned",
        Step::Started { .. } => "started",
        Step::Done { .. } => "done",
        Step::Refused { .. } => "refused",
        _ => "?",
    }
}

/// The end of a scenario, thing by thing in words, without times and numbers of parcels.
type Ending = BTreeMap<String, String>;

#[track_caller]
fn assert_same(found: &Ending, expected: &Ending, which: &str) {
    let things: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    let differing: Vec<String> = things
        .into_iter()
        .filter(|thing| found.get(*thing) != expected.get(*thing))
        .map(|thing| {
            format!("{thing}\n  is      {:?}\n  must be {:?}", found.get(thing), expected.get(thing))
        })
        .collect();
    assert!(differing.is_empty(), "{which}\n{}", differing.join("\n"));
}

fn remembered(record: &OrderRecord) -> String {
    let parcels: Vec<_> =
        record.dispatches.iter().map(|d| (&d.parcel.key, stage(&d.step), stage(&d.tell))).collect();
    format!(
        "{} {:?} {:?} confirm {} date {:?} set {} instruct {} parcels {parcels:?} left {} followed {}",
        record.order.status,
        std::mem::discriminant(&record.link),
        record.fulfilment,
        stage(&record.confirm),
        record.ship_date,
        stage(&record.set_ship_date),
        stage(&record.instruct),
        record.left_centre,
        record.next_read.is_some(),
    )
}

async fn ending(world: &World) -> Ending {
    let skus = SKUS.map(Sku::from);
    let mut ending = Ending::new();
    for record in world.store.scan(&world.account, Scan::All, None, 100).await.unwrap() {
        ending.insert(format!("record {}", record.order.id), remembered(&record));
    }
    for link in world.store.scan_links(&world.account, None, 100).await.unwrap() {
        let words =
            format!("{:?} {:?} {:?} {:?}", link.components, link.accepted, link.pushing, link.failure);
        ending.insert(format!("link {}", link.key), words);
    }
    for sold in world.market.inside().orders.values() {
        let parcels = sold.dispatches.len();
        let words = format!(
            "{} confirmed {} dates {:?} parcels {parcels}",
            sold.order.status, sold.confirmations, sold.ship_dates
        );
        ending.insert(format!("sold {}", sold.order.id), words);
    }
    ending.insert("shown".into(), format!("{:?}", world.market.inside().shown));
    ending.insert("held".into(), format!("{:?}", world.store.held(&skus).await.unwrap()));
    ending.insert("shelves".into(), format!("{:?}", world.centre.stock_levels(&skus).await.unwrap()));
    let parcels = world.centre.shipments(&world.account, None).await.unwrap().shipments.len();
    ending.insert("parcels".into(), parcels.to_string());
    let unreadable = world.store.unreadable(&world.account, 100).await.unwrap();
    let unreadable: Vec<&str> = unreadable.iter().map(|row| row.raw.reveal()).collect();
    ending.insert("unreadable".into(), format!("{unreadable:?}"));
    let state = world.store.state(&world.account).await.unwrap().unwrap();
    // A comparison that is made again after its repair finds no difference, and cures what the first had raised.
    let issues: Vec<&IssueKey> =
        state.health.issues.keys().filter(|issue| **issue != IssueKey::StockDiffers).collect();
    ending.insert("issues".into(), format!("{issues:?}"));
    ending
}

/// What must be true of every ending, whatever the uncut run says.
async fn each_thing_was_done_once(world: &World) {
    let date: NaiveDate = "2026-11-25".parse().unwrap();
    for id in FULFILLED.iter().copied().chain([ORDINARY]) {
        let id = OrderId::from(id);
        let sold = world.market.sold(&id);
        assert_eq!(sold.confirmations, 1, "{id} is confirmed once");
        assert_eq!(sold.ship_dates, [date], "{id} has its date once");
        let shipments = world.centre.shipments(&world.account, None).await.unwrap().shipments;
        let parcels: Vec<_> = shipments.iter().filter(|parcel| parcel.order == id).collect();
        let from_centre = usize::from(id.as_str() != ORDINARY);
        assert_eq!(parcels.len(), from_centre, "{id} is packed once");
        assert_eq!(sold.dispatches.len(), from_centre, "{id} is reported once");
        for (parcel, (tracking, _, _)) in parcels.iter().zip(&sold.dispatches) {
            let given = world.centre.given().get(&parcel.id).cloned();
            let number = parcel.tracking.as_ref().or(given.as_ref());
            assert_eq!(number, Some(tracking), "{id} has the number of its parcel");
        }
    }
    let untouched = world.market.sold(&CANCELLING.into());
    assert_eq!((untouched.confirmations, untouched.dispatches.len()), (0, 0), "the buyer wants out");
    assert!(untouched.ship_dates.is_empty());
    let key = instruction_key(&world.account, &CANCELLING.into());
    assert!(!world.centre.received().contains_key(&key), "the centre never heard of it");
    assert_eq!(world.centre.instructed(), FULFILLED.len());

    // TEE: 40 less 2 + 1 + 1 + 5 shipped. CUP: 20 less 2 + 3 shipped, less 4 that the cancelling order still holds.
    let shown = world.market.inside().shown.clone();
    assert_eq!(shown[&ListingKey::item("item-TEE")], (40 - 9 - 1) / 2);
    assert_eq!(shown[&ListingKey::item("item-CUP")], (20 - 5 - 4 - 1) / 2);
    assert_eq!(shown.len(), 2, "MUG is not stocked");
    let records = world.store.scan(&world.account, Scan::All, None, 100).await.unwrap();
    let linked: Vec<_> = records.iter().filter(|r| r.is_linked()).map(|r| r.order.id.as_str()).collect();
    assert_eq!(linked, ["A", "B", "F-paid-later", ORDINARY, "H-sold-later", "K", "W-taken-back"]);
}

/// The uncut run: its ending, and the number of I/O points it passed.
async fn uncut(disk: &Disk, kind: Kind) -> (Ending, usize) {
    let mut world = world_on(disk.open().await, kind);
    world.fuse.arm(usize::MAX);
    play(&mut world, disk, kind, None).await;
    each_thing_was_done_once(&world).await;
    (ending(&world).await, world.fuse.passed())
}

/// Cuts at every point in turn, or at every few. `again`: the process that begins anew is cut too, at a point
/// that varies.
async fn cut_everywhere(disk: impl Fn() -> Disk, kind: Kind, again: bool, every: usize) {
    let (expected, points) = uncut(&disk(), kind).await;
    assert!(points > 150, "{points} points only");
    for n in (1..=points).step_by(every) {
        let disk = disk();
        let mut world = world_on(disk.open().await, kind);
        world.fuse.arm(n);
        play(&mut world, &disk, kind, again.then_some(1 + n % 17)).await;
        assert!(world.fuse.passed() > 0);
        assert_same(&ending(&world).await, &expected, &format!("cut at point {n} of {points}"));
        each_thing_was_done_once(&world).await;
    }
}

#[tokio::test]
async fn cut_at_any_point_memory() {
    cut_everywhere(|| Disk::Memory, PLAIN, false, 1).await;
}

#[tokio::test]
async fn cut_at_any_point_with_ship_dates_of_their_own_call_memory() {
    cut_everywhere(|| Disk::Memory, SEPARATE, false, 1).await;
}

#[tokio::test]
async fn cut_at_any_point_while_answers_are_lost_memory() {
    cut_everywhere(|| Disk::Memory, LOST, false, 1).await;
}

#[tokio::test]
async fn cut_at_any_point_while_answers_are_lost_with_ship_dates_of_their_own_call_memory() {
    cut_everywhere(|| Disk::Memory, LOST_SEPARATE, false, 1).await;
}

#[tokio::test]
async fn cut_at_any_point_while_quantities_are_repaired_memory() {
    cut_everywhere(|| Disk::Memory, REPAIR, false, 1).await;
}

#[tokio::test]
async fn cut_at_any_point_where_the_channel_gives_the_numbers_memory() {
    cut_everywhere(|| Disk::Memory, UNNUMBERED, false, 1).await;
    cut_everywhere(|| Disk::Memory, UNNUMBERED_LOST, true, 1).await;
}

#[tokio::test]
async fn cut_at_any_point_and_again_while_recovering_memory() {
    cut_everywhere(|| Disk::Memory, PLAIN, true, 1).await;
    cut_everywhere(|| Disk::Memory, LOST_SEPARATE, true, 1).await;
}

/// Cutting everywhere takes minutes here: normally each fifth point, all of them with `CRASH_POINTS=all`. Over memory
/// all are cut always.
#[cfg(feature = "sqlite")]
fn every() -> usize {
    if std::env::var("CRASH_POINTS").is_ok_and(|points| points == "all") { 1 } else { 5 }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn cut_at_many_points_sqlite() {
    cut_everywhere(Disk::sqlite, PLAIN, false, every()).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn cut_at_many_points_and_again_while_answers_are_lost_sqlite() {
    cut_everywhere(Disk::sqlite, LOST_SEPARATE, true, every()).await;
}

/// What a [`Watched`] store does with its n-th write or read.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Trouble {
    /// It fails, and nothing was done.
    NotDone,
    /// It was done, and an error came back.
    Done,
}

/// Notes every cursor that was stored, and fails once.
#[derive(Debug)]
struct Watched {
    inner: Arc<dyn Store>,
    cursors: Mutex<Vec<SyncCursor>>,
    calls: AtomicUsize,
    /// Which call fails, counted from 1, and how.
    fails: Option<(usize, Trouble)>,
}

impl Watched {
    fn over(inner: Arc<dyn Store>, fails: Option<(usize, Trouble)>) -> Arc<Self> {
        Arc::new(Self { inner, cursors: Mutex::default(), calls: AtomicUsize::new(0), fails })
    }

    async fn call<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let n = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let trouble = self.fails.filter(|(at, _)| *at == n).map(|(_, trouble)| trouble);
        let error = || Err(Error::new(ErrorKind::Store).with_message("the disk is full"));
        match trouble {
            None => work.await,
            Some(Trouble::NotDone) => error(),
            Some(Trouble::Done) => work.await.and_then(|_| error()),
        }
    }
}

#[async_trait::async_trait]
impl Store for Watched {
    async fn acquire(
        &self,
        account: &AccountId,
        owner: &str,
        now: DateTime<Utc>,
        ttl: TimeDelta,
    ) -> Result<Lease> {
        self.call(self.inner.acquire(account, owner, now, ttl)).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        self.call(self.inner.release(lease)).await
    }

    async fn state(&self, account: &AccountId) -> Result<Option<AccountState>> {
        self.call(self.inner.state(account)).await
    }

    async fn states(&self) -> Result<Vec<AccountState>> {
        self.call(self.inner.states()).await
    }

    async fn records(&self, account: &AccountId, ids: &[OrderId]) -> Result<Vec<OrderRecord>> {
        self.call(self.inner.records(account, ids)).await
    }

    async fn scan(
        &self,
        account: &AccountId,
        scan: Scan,
        after: Option<&OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderRecord>> {
        self.call(self.inner.scan(account, scan, after, limit)).await
    }

    async fn links(&self, account: &AccountId, keys: &[ListingKey]) -> Result<Vec<ListingLink>> {
        self.call(self.inner.links(account, keys)).await
    }

    async fn scan_links(
        &self,
        account: &AccountId,
        after: Option<&ListingKey>,
        limit: usize,
    ) -> Result<Vec<ListingLink>> {
        self.call(self.inner.scan_links(account, after, limit)).await
    }

    async fn held(&self, skus: &[Sku]) -> Result<BTreeMap<Sku, u64>> {
        self.call(self.inner.held(skus)).await
    }

    async fn unreadable(&self, account: &AccountId, limit: usize) -> Result<Vec<UnreadableRow>> {
        self.call(self.inner.unreadable(account, limit)).await
    }

    async fn commit(&self, lease: &Lease, commit: Commit) -> Result<()> {
        let cursor = commit.state.as_ref().map(|state| state.cursor.clone());
        self.call(self.inner.commit(lease, commit)).await?;
        let mut cursors = self.cursors.lock().unwrap();
        if let Some(cursor) = cursor
            && !cursors.contains(&cursor)
        {
            cursors.push(cursor);
        }
        Ok(())
    }
}

/// A store that fails at any of its calls, the process going on, loses nothing and does nothing twice.
async fn fail_at_every_store_call(kind: Kind, trouble: Trouble) {
    let (expected, _) = uncut(&Disk::Memory, kind).await;
    for n in 1.. {
        let memory: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let watched = Watched::over(Arc::clone(&memory), Some((n, trouble)));
        let mut world = world_on(Arc::clone(&watched) as Arc<dyn Store>, kind);
        let hub = world.hub();
        let mut failed = false;
        for hour in 0..HOURS.len() {
            happen(&world, PLAIN, hour);
            while let Err(error) = hub.cycle(&world.account).await {
                assert_eq!(error.kind(), ErrorKind::Store, "{error}");
                assert!(!failed, "it fails once");
                failed = true;
            }
        }
        world.store = memory;
        if watched.calls.load(Ordering::SeqCst) < n {
            assert!(n > 150, "{n} calls only");
            return;
        }
        assert!(failed, "call {n}: an error of the store is not swallowed");
        assert_same(&ending(&world).await, &expected, &format!("{trouble:?} at store call {n}"));
        each_thing_was_done_once(&world).await;
    }
}

#[tokio::test]
async fn a_store_that_fails_once_anywhere_loses_nothing() {
    fail_at_every_store_call(PLAIN, Trouble::NotDone).await;
    fail_at_every_store_call(SEPARATE, Trouble::NotDone).await;
    fail_at_every_store_call(REPAIR, Trouble::NotDone).await;
}

#[tokio::test]
async fn a_store_that_fails_after_it_wrote_does_nothing_twice() {
    fail_at_every_store_call(PLAIN, Trouble::Done).await;
    fail_at_every_store_call(LOST_SEPARATE, Trouble::Done).await;
}

/// Puts a cursor back; the records stay.
async fn put_back(world: &World, cursor: &SyncCursor) {
    let lease =
        world.store.acquire(&world.account, "restorer", world.clock.now(), TimeDelta::minutes(1)).await;
    let lease = lease.unwrap();
    let mut state = world.store.state(&world.account).await.unwrap().unwrap();
    state.cursor = cursor.clone();
    world.store.commit(&lease, Commit { state: Some(state), ..Commit::default() }).await.unwrap();
    world.store.release(&lease).await.unwrap();
}

#[tokio::test]
async fn replay_from_every_cursor_ever_stored_ends_the_same() {
    let recorder = Watched::over(Arc::new(MemoryStore::new()), None);
    let world = world_on(Arc::clone(&recorder) as Arc<dyn Store>, PLAIN);
    let hub = world.hub();
    // How many cursors there were before each hour's cycle.
    let mut before = Vec::new();
    for hour in 0..HOURS.len() {
        before.push(recorder.cursors.lock().unwrap().len());
        happen(&world, PLAIN, hour);
        hub.cycle(&world.account).await.unwrap();
    }
    let expected = ending(&world).await;
    let cursors = recorder.cursors.lock().unwrap().clone();
    assert!(cursors.len() > 8, "{cursors:?}");
    assert!(cursors.iter().any(|cursor| cursor.sweep.is_some()), "a night was swept");
    assert!(cursors.iter().any(|cursor| cursor.chunk_seconds.is_some()), "a window was cut by the cap");

    // At the end, all is done already.
    for cursor in &cursors {
        put_back(&world, cursor).await;
        let hub = world.hub();
        for _ in 0..3 {
            hub.cycle(&world.account).await.unwrap();
            world.clock.advance(TimeDelta::hours(1));
        }
        assert_same(&ending(&world).await, &expected, &format!("from {cursor:?}"));
        each_thing_was_done_once(&world).await;
    }

    // In the middle, with each cursor that there had been by then.
    for restored in 1..HOURS.len() {
        for cursor in &cursors[..before[restored]] {
            let world = world_on(Arc::new(MemoryStore::new()), PLAIN);
            let mut hub = world.hub();
            for hour in 0..HOURS.len() {
                happen(&world, PLAIN, hour);
                if hour == restored {
                    put_back(&world, cursor).await;
                    hub = world.hub();
                }
                hub.cycle(&world.account).await.unwrap();
            }
            let which = format!("from {cursor:?} at {}", HOURS[restored]);
            assert_same(&ending(&world).await, &expected, &which);
            each_thing_was_done_once(&world).await;
        }
    }
}

/// The tests above are worth nothing if the fuse does not blow.
#[tokio::test]
async fn the_fuse_cuts_where_it_is_told_to() {
    let fuse = Fuse::default();
    fuse.arm(3);
    let passed = Mutex::new(0);
    let work = async {
        for _ in 0..5 {
            fuse.point().await;
            *passed.lock().unwrap() += 1;
        }
    };
    assert!(fuse.cut(work).await);
    assert_eq!(*passed.lock().unwrap(), 2);
    assert!(!fuse.cut(async { fuse.point().await }).await, "it blows once");
}
