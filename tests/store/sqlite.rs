//! What only an SQLite file can do wrong.

use std::path::PathBuf;
use std::time::Duration;

use sales_channels::store::{SqliteOptions, SqliteStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, raw_sql};

use super::*;

/// A file in a folder of its own.
pub(crate) struct File {
    folder: tempfile::TempDir,
}

impl File {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("orders.db")
    }

    async fn open(&self) -> sales_channels::Result<SqliteStore> {
        SqliteStore::open(self.path()).await
    }

    /// A connection of another program.
    async fn other(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.path()).create_if_missing(true).connect().await.unwrap()
    }

    /// A closed database with this many orders, as one file.
    async fn with_orders(orders: usize) -> Self {
        let file = Self::new();
        let store = file.open().await.unwrap();
        let all = (0..orders).map(|n| record(&format!("{n:05}"))).collect();
        let lease = store.acquire(&shop(), "worker", now(), TimeDelta::zero()).await.unwrap();
        store.commit(&lease, records(all)).await.unwrap();
        store.close().await.unwrap();
        file
    }
}

#[async_trait::async_trait]
impl Subject for File {
    async fn empty() -> Option<(Self, Arc<dyn Store>)> {
        let file = Self::new();
        let store = file.reopened().await;
        Some((file, store))
    }

    async fn reopened(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(self.path()).await.unwrap())
    }
}

async fn take(store: &SqliteStore) -> sales_channels::Result<Lease> {
    store.acquire(&shop(), "worker", now(), TimeDelta::minutes(10)).await
}

fn bytes(file: &File) -> Vec<u8> {
    std::fs::read(file.path()).unwrap()
}

#[tokio::test]
async fn a_path_that_can_not_be_opened_is_a_wrong_setting() {
    let file = File::new();
    let missing = file.folder.path().join("no such folder/orders.db");
    says(SqliteStore::open(&missing).await, ErrorKind::Configuration, &["no such folder", "check"]);
    says(SqliteStore::open(file.folder.path()).await, ErrorKind::Configuration, &["can't be opened"]);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let file = File::new();
    let text = "id,name\n1,山田\n".repeat(1000);
    std::fs::write(file.path(), &text).unwrap();
    says(file.open().await, ErrorKind::Configuration, &["orders.db", "no SQLite database", "another path"]);
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), text);
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let file = File::new();
    let mut other = file.other().await;
    raw_sql("CREATE TABLE orders (id TEXT); INSERT INTO orders VALUES ('1')")
        .execute(&mut other)
        .await
        .unwrap();
    sqlx::Connection::close(other).await.unwrap();
    let before = bytes(&file);
    says(file.open().await, ErrorKind::Configuration, &["another program", "another path"]);
    assert!(bytes(&file) == before, "the file was changed");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let file = File::with_orders(1).await;
    let mut other = file.other().await;
    raw_sql("PRAGMA user_version = 99").execute(&mut other).await.unwrap();
    sqlx::Connection::close(other).await.unwrap();
    let before = bytes(&file);
    says(file.open().await, ErrorKind::Configuration, &["newer version", "schema 99", "update the library"]);
    assert!(bytes(&file) == before, "the file was changed");
    let mut other = file.other().await;
    raw_sql("PRAGMA user_version = -1").execute(&mut other).await.unwrap();
    sqlx::Connection::close(other).await.unwrap();
    says(file.open().await, ErrorKind::Configuration, &["schema -1"]);
}

#[tokio::test]
async fn an_empty_file_becomes_a_database() {
    let file = File::new();
    std::fs::write(file.path(), b"").unwrap();
    let store = file.open().await.unwrap();
    let lease = take(&store).await.unwrap();
    store.commit(&lease, records(vec![record("A")])).await.unwrap();
}

#[tokio::test]
async fn opening_again_and_again_changes_nothing() {
    let file = File::with_orders(3).await;
    let before = bytes(&file);
    for _ in 0..3 {
        let store = file.open().await.unwrap();
        assert_eq!(store.scan(&shop(), Scan::All, None, 10).await.unwrap().len(), 3);
        store.close().await.unwrap();
    }
    assert!(bytes(&file) == before, "the file was changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_open_a_new_file_at_the_same_time() {
    let file = File::new();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let path = file.path();
        tasks.spawn(async move { SqliteStore::open(path).await.unwrap() });
    }
    for store in tasks.join_all().await {
        store.states().await.unwrap();
    }
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_never_a_panic() {
    let whole = File::with_orders(200).await;
    let bytes = std::fs::read(whole.path()).unwrap();
    let (mut told, mut unharmed) = (0, 0);
    for n in 0..60_usize {
        let file = File::new();
        let mut damaged = bytes.clone();
        // Half a page of rubbish, each time elsewhere, the header too.
        let from = n * bytes.len() / 60;
        let to = (from + 2048).min(bytes.len());
        for (k, byte) in damaged[from..to].iter_mut().enumerate() {
            *byte = u8::try_from((k * 31 + n * 7) % 256).unwrap();
        }
        std::fs::write(file.path(), damaged).unwrap();
        match use_all(&file).await {
            Ok(()) => unharmed += 1,
            Err(error) => {
                told += 1;
                assert!(matches!(error.kind(), ErrorKind::Store | ErrorKind::Configuration), "{error}");
                assert!(!error.to_string().contains("門"), "personal data: {error}");
            }
        }
    }
    assert!(told > 30, "{told} told, {unharmed} unharmed");
}

#[tokio::test]
async fn a_file_cut_short_is_an_error_that_says_so() {
    let whole = File::with_orders(200).await;
    let bytes = std::fs::read(whole.path()).unwrap();
    let file = File::new();
    std::fs::write(file.path(), &bytes[..bytes.len() / 2 / 4096 * 4096]).unwrap();
    says(use_all(&file).await, ErrorKind::Store, &["damaged", "backup"]);
}

/// Reads and writes everything there is.
async fn use_all(file: &File) -> sales_channels::Result<()> {
    let store = file.open().await?;
    let lease = take(&store).await?;
    let found = store.scan(&shop(), Scan::All, None, 1000).await?;
    store.scan(&shop(), Scan::Working, None, 1000).await?;
    store.held(&["TEE".into()]).await?;
    store.commit(&lease, records(found)).await?;
    let more = (0..200).map(|n| record(&format!("more-{n}"))).collect();
    store.commit(&lease, records(more)).await?;
    store.states().await?;
    store.close().await
}

#[tokio::test]
async fn a_record_changed_by_hand_is_named_and_its_data_is_not() {
    let file = File::with_orders(2).await;
    let store = file.open().await.unwrap();
    let mut other = file.other().await;
    raw_sql("UPDATE orders SET record = '{\"account\": {\"name\": \"山田 花子\"}}' WHERE id = '00001'")
        .execute(&mut other)
        .await
        .unwrap();
    let result = store.scan(&shop(), Scan::All, None, 10).await;
    assert!(!format!("{result:?}").contains("山田"));
    says(result, ErrorKind::Store, &["order 00001", "can't be read", "shop"]);
    assert!(store.records(&shop(), &["00000".into()]).await.is_ok(), "the others can be read");
}

#[tokio::test]
async fn a_file_that_may_not_be_written_to_is_told_at_opening() {
    let file = File::with_orders(1).await;
    let mut permissions = std::fs::metadata(file.path()).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(file.path(), permissions).unwrap();
    // Permissions do not bind root: for root the file is made immutable.
    let root = std::fs::OpenOptions::new().append(true).open(file.path()).is_ok();
    let chattr = |flag: &str| std::process::Command::new("chattr").arg(flag).arg(file.path()).status();
    if root {
        assert!(
            chattr("+i").unwrap().success(),
            "as root this test needs chattr and a file system that has it"
        );
    }
    let result = file.open().await;
    if root {
        chattr("-i").unwrap();
    }
    says(result, ErrorKind::Store, &["orders.db", "can't be written to", "permissions"]);
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_what_was_there_stays() {
    let file = File::with_orders(10).await;
    let size = std::fs::metadata(file.path()).unwrap().len();
    let store = SqliteOptions::new(file.path()).max_bytes(size + 100_000).open().await.unwrap();
    let lease = take(&store).await.unwrap();
    let many = (0..1000).map(|n| record(&format!("many-{n}"))).collect();
    says(
        store.commit(&lease, records(many)).await,
        ErrorKind::Store,
        &["full", "make room", "nothing was written"],
    );
    assert_eq!(store.scan(&shop(), Scan::All, None, 5000).await.unwrap().len(), 10);
    // What fits is still taken, under the same lease.
    store.commit(&lease, records(vec![record("small")])).await.unwrap();
    drop(store);
    let store = file.open().await.unwrap();
    let many = (0..1000).map(|n| record(&format!("many-{n}"))).collect();
    let lease = take(&store).await.unwrap();
    store.commit(&lease, records(many)).await.unwrap();
    assert_eq!(store.scan(&shop(), Scan::All, None, 5000).await.unwrap().len(), 1011);
}

#[tokio::test]
async fn a_locked_database_is_an_error_that_passes() {
    let file = File::with_orders(1).await;
    let impatient = || SqliteOptions::new(file.path()).lock_timeout(Duration::from_millis(5)).open();
    let store = impatient().await.unwrap();
    let lease = take(&store).await.unwrap();
    let mut other = file.other().await;
    raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let locked = store.commit(&lease, records(vec![record("A")])).await;
    assert!(locked.as_ref().unwrap_err().is_temporary());
    says(locked, ErrorKind::Store, &["another process", "locked", "nothing was written"]);
    says(take(&store).await, ErrorKind::Store, &["locked"]);
    says(impatient().await, ErrorKind::Store, &["locked"]);
    assert_eq!(store.scan(&shop(), Scan::All, None, 10).await.unwrap().len(), 1, "reading goes on");
    raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    store.commit(&lease, records(vec![record("A")])).await.unwrap();
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let file = File::new();
    let store = file.open().await.unwrap();
    let lease = take(&store).await.unwrap();
    store.close().await.unwrap();
    store.close().await.unwrap();
    says(store.commit(&lease, records(vec![record("A")])).await, ErrorKind::Store, &["closed"]);
    says(store.states().await, ErrorKind::Store, &["closed"]);
    let left: Vec<_> = std::fs::read_dir(file.folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "all is in one file: {left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_file_lose_nothing() {
    let file = File::new();
    let mut tasks = tokio::task::JoinSet::new();
    for process in 0..4 {
        let path = file.path();
        tasks.spawn(async move {
            let store: Arc<dyn Store> = Arc::new(SqliteStore::open(path).await.unwrap());
            for n in 0..25 {
                let account = format!("account-{process}");
                let lease = lease(&store, &account).await;
                store.commit(&lease, records(vec![record(&format!("{n:02}"))])).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let store = file.open().await.unwrap();
    for process in 0..4 {
        let account = AccountId::from(format!("account-{process}"));
        assert_eq!(store.scan(&account, Scan::All, None, 100).await.unwrap().len(), 25);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_dropped_half_way_is_there_as_a_whole_or_not_at_all() {
    let (_file, store) = File::empty().await.unwrap();
    let mut dropped = 0;
    for n in 0..150_u32 {
        let lease = lease(&store, "shop").await;
        let all: Vec<OrderRecord> =
            (0..200).map(|id| order_of(&format!("{id:03}"), &[("one", Some("ONE"), n + 1)])).collect();
        let cut = tokio::select! {
            biased;
            result = store.commit(&lease, records(all)) => { result.unwrap(); false }
            () = turns(n) => true,
        };
        dropped += u32::from(cut);
        // Taking the account waits for what the dropped commit still does.
        store.acquire(&shop(), "worker", now(), TimeDelta::zero()).await.unwrap();
        let found = store.scan(&shop(), Scan::All, None, 1000).await.unwrap();
        let pieces: std::collections::BTreeSet<u32> =
            found.iter().map(|record| record.order.lines[0].quantity).collect();
        assert!(pieces.len() <= 1 && matches!(found.len(), 0 | 200), "{} orders of {pieces:?}", found.len());
        assert!(cut || pieces.contains(&(n + 1)), "an acknowledged commit is there");
        let held = store.held(&["ONE".into()]).await.unwrap()[&Sku::from("ONE")];
        assert_eq!(held, pieces.first().map_or(0, |pieces| u64::from(*pieces) * 200));
    }
    assert!(dropped > 10, "{dropped} were dropped");
}

#[tokio::test]
async fn the_file_can_be_read_by_people() {
    let file = File::new();
    let store = file.open().await.unwrap();
    let lease = take(&store).await.unwrap();
    let mut due = record("A");
    due.next_read = Some(now());
    store.commit(&lease, records(vec![due])).await.unwrap();
    let mut other = file.other().await;
    let row: (String, String, String, i64, String, String) =
        sqlx::query_as("SELECT id, status, linked, working, next_read, record FROM orders")
            .fetch_one(&mut other)
            .await
            .unwrap();
    assert_eq!((row.0.as_str(), row.1.as_str(), row.2.as_str(), row.3), ("A", "new", "linked", 1));
    assert_eq!(row.4, "2026-11-24 10:00:00");
    assert!(row.5.contains("門の前に置いてください"));
    let row: (String, i64, String) =
        sqlx::query_as("SELECT owner, fence, until FROM leases").fetch_one(&mut other).await.unwrap();
    assert_eq!(row, ("worker".into(), 1, "2026-11-24 10:10:00".into()));
}

#[tokio::test]
async fn debug_shows_the_path_and_no_data() {
    let file = File::with_orders(1).await;
    let store = file.open().await.unwrap();
    let text = format!("{store:?}");
    assert!(text.contains("orders.db") && !text.contains("Connection"), "{text}");
}
