//! What only a PostgreSQL database can do wrong, and the server that the tests use: the one at `DATABASE_URL`, or a
//! throw-away cluster made with the installed binaries.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use sales_channels::store::{PgOptions, PgStore};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, raw_sql};

use super::*;

/// Where the server is. Tests run as processes of their own: they share one cluster, which a watcher stops and removes
/// some seconds after the last of them. The lock on `users` is held as long as this process lives.
struct Server {
    url: String,
    _in_use: Option<File>,
}

/// `None`: there is no PostgreSQL on this machine; said once for each test.
fn server() -> Option<&'static Server> {
    static SERVER: std::sync::OnceLock<Option<Server>> = std::sync::OnceLock::new();
    let server = SERVER.get_or_init(|| match std::env::var("DATABASE_URL") {
        Ok(url) => Some(Server { url, _in_use: None }),
        Err(_) => binaries().map(|binaries| throw_away(&binaries)),
    });
    if server.is_none() {
        let required = std::env::var("REQUIRE_POSTGRES").is_ok();
        assert!(!required, "REQUIRE_POSTGRES is set, and there is neither DATABASE_URL nor initdb");
        println!("NOT RUN: no PostgreSQL here (neither DATABASE_URL nor initdb); this test proves nothing");
    }
    server.as_ref()
}

/// The folder of `initdb` and `pg_ctl`.
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = debian.map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    let folders = versions.into_iter().rev().chain(std::env::split_paths(&path));
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&id.stdout).trim() == "0"
}

/// A shell command as a user that PostgreSQL accepts: it refuses to run as root.
fn shell(script: &str) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh", "-c", script]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    };
    command.current_dir("/");
    command
}

fn throw_away(binaries: &Path) -> Server {
    let root = std::env::temp_dir().join("sales-channels-postgres");
    std::fs::create_dir_all(&root).unwrap();
    let _ = run(Command::new("chmod").arg("0777").arg(&root));
    let lock = |name: &str| File::options().create(true).append(true).open(root.join(name)).unwrap();
    let starting = lock("starting");
    starting.lock().unwrap();
    let in_use = lock("users");
    in_use.lock_shared().unwrap();
    let (at, bin) = (root.display(), binaries.display());
    let alive = run(&mut shell(&format!("{bin}/pg_ctl -D {at}/data status")));
    if !alive {
        let started = run(&mut shell(&format!(
            "rm -rf {at}/data && {bin}/initdb -D {at}/data -U tests -A trust -E UTF8 --locale=C --no-sync \
             && {bin}/pg_ctl -D {at}/data -l {at}/log -w start \
                -o \"-c listen_addresses='' -c unix_socket_directories={at} -c fsync=off -c max_connections=300\""
        )));
        assert!(started, "the throw-away cluster does not start: see {at}/log");
        // Stops and removes it when nobody has held the lock for a while.
        let watcher = format!(
            "while sleep 10; do flock -n -x {at}/users sh -c '{bin}/pg_ctl -D {at}/data -m immediate stop; rm -rf {at}/data' && exit; done"
        );
        let mut watch = shell(&format!("setsid sh -c {} > /dev/null 2>&1 < /dev/null &", quoted(&watcher)));
        assert!(run(&mut watch));
    }
    let url = format!("postgres://tests@localhost/postgres?host={}", root.display());
    Server { url, _in_use: Some(in_use) }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn run(command: &mut Command) -> bool {
    // Nothing is piped: the server would keep the pipe open.
    let null = std::process::Stdio::null;
    command.stdin(null()).stdout(null()).stderr(null()).status().unwrap().success()
}

/// A database of its own, dropped at the end of the test.
pub(crate) struct Database {
    admin: PgConnectOptions,
    name: String,
}

impl Database {
    async fn new(server: &Server) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("sales_channels_test_{}_{n}", std::process::id());
        let admin: PgConnectOptions = server.url.parse().unwrap();
        let database = Self { admin, name };
        database.sql(&format!("DROP DATABASE IF EXISTS {}", database.name)).await;
        database.sql(&format!("CREATE DATABASE {}", database.name)).await;
        database
    }

    /// In the server's own database.
    async fn sql(&self, sql: &str) {
        let mut connection = self.admin.connect().await.unwrap();
        raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    fn url(&self) -> String {
        self.admin.clone().database(&self.name).to_url_lossy().to_string()
    }

    async fn open(&self) -> sales_channels::Result<PgStore> {
        PgOptions::new(&self.url()).connections(4).connect().await
    }

    /// A connection of another program.
    async fn other(&self) -> PgConnection {
        self.admin.clone().database(&self.name).connect().await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (admin, name) = (self.admin.clone(), self.name.clone());
        // A thread of its own: the test's runtime may not be waited in.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut connection = admin.connect().await.unwrap();
                let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            });
        });
        let _ = dropping.join();
    }
}

#[async_trait::async_trait]
impl Subject for Database {
    async fn empty() -> Option<(Self, Arc<dyn Store>)> {
        let database = Self::new(server()?).await;
        let store = database.reopened().await;
        Some((database, store))
    }

    async fn reopened(&self) -> Arc<dyn Store> {
        Arc::new(self.open().await.unwrap())
    }
}

#[tokio::test]
async fn a_wrong_address_is_a_wrong_setting_and_no_password_is_told() {
    let Some(server) = server() else { return };
    for url in ["", "orders.db", "https://db.example/shop"] {
        says(PgStore::connect(url).await, ErrorKind::Configuration, &["address", "can't be read"]);
    }
    let admin: PgConnectOptions = server.url.parse().unwrap();
    let missing = admin.clone().database("no_such_database").to_url_lossy().to_string();
    says(PgStore::connect(&missing).await, ErrorKind::Configuration, &["does not exist", "createdb"]);
    let stranger = admin.username("nobody_known").to_url_lossy().to_string();
    says(PgStore::connect(&stranger).await, ErrorKind::Configuration, &["user and password"]);
    let options = PgOptions::new("postgres://hub:PASSWORD-1@127.0.0.1:1/shop")
        .connect_timeout(std::time::Duration::from_secs(5));
    assert!(!format!("{options:?}").contains("PASSWORD"));
    let error = options.connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.is_temporary() && !format!("{error:?} {error}").contains("PASSWORD"), "{error}");
}

#[tokio::test]
async fn a_schema_of_a_newer_version_is_left_alone() {
    let Some((database, store)) = Database::empty().await else { return };
    put(&store, vec![record("A")]).await;
    let mut other = database.other().await;
    raw_sql("UPDATE sales_channels.schema_version SET version = 99").execute(&mut other).await.unwrap();
    says(database.open().await, ErrorKind::Configuration, &["newer version", "99", "update the library"]);
    assert_eq!(ids(&store, Scan::All, 10).await, ["A"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_make_the_schema_at_the_same_time() {
    let Some(server) = server() else { return };
    let database = Arc::new(Database::new(server).await);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let database = Arc::clone(&database);
        tasks.spawn(async move { database.open().await.map(drop) });
    }
    for result in tasks.join_all().await {
        result.unwrap();
    }
    let store = database.reopened().await;
    put(&store, vec![record("A")]).await;
    let mut other = database.other().await;
    let versions: i64 = sqlx::query_scalar("SELECT count(*) FROM sales_channels.schema_version")
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert_eq!(versions, 1);
}

#[tokio::test]
async fn the_tables_of_the_application_are_left_alone() {
    let Some(server) = server() else { return };
    let database = Database::new(server).await;
    let mut other = database.other().await;
    raw_sql("CREATE TABLE orders (id TEXT); INSERT INTO orders VALUES ('1')")
        .execute(&mut other)
        .await
        .unwrap();
    let store = database.reopened().await;
    put(&store, vec![record("A")]).await;
    let theirs: Vec<String> =
        sqlx::query_scalar("SELECT id FROM orders").fetch_all(&mut other).await.unwrap();
    assert_eq!(theirs, ["1"]);
}

#[tokio::test]
async fn connections_that_break_are_replaced() {
    let Some((database, store)) = Database::empty().await else { return };
    put(&store, vec![record("A")]).await;
    let mut other = database.other().await;
    raw_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&mut other)
    .await
    .unwrap();
    // The first call may meet a broken connection: its error says that it passes.
    for _ in 0..8 {
        if let Err(error) = store.states().await {
            assert_eq!(error.kind(), ErrorKind::Store);
            assert!(error.is_temporary(), "{error}");
        }
    }
    put(&store, vec![record("B")]).await;
    assert_eq!(ids(&store, Scan::All, 10).await, ["A", "B"]);
}

#[tokio::test]
async fn a_database_that_takes_no_writes_says_so_and_can_be_read() {
    let Some((database, store)) = Database::empty().await else { return };
    put(&store, vec![record("A")]).await;
    database.sql(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name)).await;
    let store = database.reopened().await;
    assert_eq!(ids(&store, Scan::All, 10).await, ["A"]);
    let taken = store.acquire(&shop(), "worker", now(), TimeDelta::minutes(10)).await;
    says(taken, ErrorKind::Store, &["takes no writes"]);
}

#[tokio::test]
async fn a_record_changed_by_hand_is_named_and_its_data_is_not() {
    let Some((database, store)) = Database::empty().await else { return };
    put(&store, vec![record("A-7")]).await;
    let mut other = database.other().await;
    raw_sql("UPDATE sales_channels.orders SET record = '{\"memo\":\"SECRET-MEMO\",'")
        .execute(&mut other)
        .await
        .unwrap();
    let error = store.records(&shop(), &["A-7".into()]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.to_string().contains("A-7") && !error.to_string().contains("SECRET"), "{error}");
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let Some(server) = server() else { return };
    let database = Database::new(server).await;
    let store = database.open().await.unwrap();
    store.close().await;
    store.close().await;
    says(store.states().await, ErrorKind::Store, &["closed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_on_one_database_lose_nothing() {
    let Some(server) = server() else { return };
    let database = Arc::new(Database::new(server).await);
    let mut tasks = tokio::task::JoinSet::new();
    for process in 0..4 {
        let database = Arc::clone(&database);
        tasks.spawn(async move {
            let store = database.reopened().await;
            for n in 0..25 {
                let account = format!("account-{process}");
                let lease = lease(&store, &account).await;
                store.commit(&lease, records(vec![record(&format!("{n:02}"))])).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let store = database.reopened().await;
    for process in 0..4 {
        let account = AccountId::from(format!("account-{process}"));
        assert_eq!(store.scan(&account, Scan::All, None, 100).await.unwrap().len(), 25);
    }
}

/// While a commit runs, nobody takes the account over: what a worker began under its lease ends under it.
#[tokio::test]
async fn an_account_is_not_taken_over_in_the_middle_of_a_commit() {
    let Some((database, store)) = Database::empty().await else { return };
    let old = store.acquire(&shop(), "one", now(), TimeDelta::zero()).await.unwrap();
    // Another program holds the first row that the commit writes: the commit stops there, with its lease locked.
    put_state_row(&database).await;
    let mut other = database.other().await;
    raw_sql("BEGIN; SELECT * FROM sales_channels.accounts FOR UPDATE").execute(&mut other).await.unwrap();
    let mut commit = records(vec![record("A")]);
    commit.state = Some(sales_channels::store::AccountState::new(shop()));
    let writing = tokio::spawn({
        let (store, old) = (Arc::clone(&store), old.clone());
        async move { store.commit(&old, commit).await }
    });
    waiting(&database, 1).await;
    let taking = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.acquire(&shop(), "two", now(), TimeDelta::minutes(10)).await }
    });
    waiting(&database, 2).await;
    raw_sql("COMMIT").execute(&mut other).await.unwrap();
    writing.await.unwrap().unwrap();
    assert_eq!(taking.await.unwrap().unwrap().fence, old.fence + 1);
    refused(store.commit(&old, records(vec![record("B")])).await, ErrorKind::Busy);
    assert_eq!(ids(&store, Scan::All, 10).await, ["A"]);
}

async fn put_state_row(database: &Database) {
    let mut other = database.other().await;
    raw_sql("INSERT INTO sales_channels.accounts VALUES ('shop', '{}')").execute(&mut other).await.unwrap();
}

/// Until so many statements wait for a lock.
async fn waiting(database: &Database, statements: i64) {
    let mut other = database.other().await;
    loop {
        let found: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(&mut other)
        .await
        .unwrap();
        if found >= statements {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_dropped_half_way_is_there_as_a_whole_or_not_at_all() {
    let Some((_database, store)) = Database::empty().await else { return };
    let mut dropped = 0;
    for n in 0..60_u32 {
        let lease = lease(&store, "shop").await;
        let all: Vec<OrderRecord> =
            (0..200).map(|id| order_of(&format!("{id:03}"), &[("one", Some("ONE"), n + 1)])).collect();
        let cut = tokio::select! {
            biased;
            result = store.commit(&lease, records(all)) => { result.unwrap(); false }
            () = turns(n * 400) => true,
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
    assert!(dropped > 5, "{dropped} were dropped");
}

#[tokio::test]
async fn the_tables_can_be_read_by_people() {
    let Some((database, store)) = Database::empty().await else { return };
    let mut due = record("A");
    due.next_read = Some(now());
    put(&store, vec![due]).await;
    let mut other = database.other().await;
    let row: (String, bool, String, String) =
        sqlx::query_as("SELECT id, working, next_read, record FROM sales_channels.orders")
            .fetch_one(&mut other)
            .await
            .unwrap();
    assert_eq!((row.0.as_str(), row.1, row.2.as_str()), ("A", true, "2026-11-24 10:00:00"));
    assert!(row.3.contains("門の前に置いてください"));
}
