//! Seventeen bad answers, at each request of each operation: what kind of error comes of it, whether a repeat may help,
//! whether the outcome is known, and how often the request was sent.

use std::time::Duration;

use bytes::Bytes;

use super::kit::{ATTEMPTS, Checked, Kit, Shop, Stop, ensure, not_applicable, told};
use super::operations::{End, Op};
use super::wire::Fault;
use crate::channel::Repeat;
use crate::error::ErrorKind::{
    self, Busy, Configuration, CredentialExpired, Forbidden, InvalidInput, MalformedResponse, NotFound,
    RateLimited, Refused, TimedOut, Unauthorized, Unavailable, Unsupported,
};

/// Longer than any call of the suite may take: whoever waits for it is found out by the count of requests.
const LONG: u32 = 3600;
const GATEWAY: &str = "<html><body><h1>Bad Gateway</h1></body></html>";
const JSON: &str = "application/json";
/// Requests of an operation at which the ladder is climbed; an operation that makes more is climbed at its ends.
const MOST_PLACES: usize = 6;

/// What a caller must be told about the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It was not made.
    NotMade,
    /// It may have been made.
    MayBeMade,
    /// Either.
    Either,
}

struct Rung {
    name: &'static str,
    fault: Fault,
    kinds: &'static [ErrorKind],
    /// Beside `kinds`, for calls that change nothing.
    read_kinds: &'static [ErrorKind],
    change: Change,
    /// Whether waiting may cure it; `None`: the channel's own answer, which may mean anything.
    temporary: Option<bool>,
}

fn rung(name: &'static str, fault: Fault, kinds: &'static [ErrorKind], change: Change) -> Rung {
    let temporary = match change {
        Change::MayBeMade => Some(true),
        Change::NotMade | Change::Either => None,
    };
    Rung { name, fault, kinds, read_kinds: &[Unavailable], change, temporary }
}

fn status(name: &'static str, status: u16, kinds: &'static [ErrorKind], change: Change) -> Rung {
    rung(name, Fault::status(status, JSON, "{\"error\":\"no\"}"), kinds, change)
}

fn limited(name: &'static str, retry_after: Option<u32>) -> Rung {
    let fault = Fault::Answer {
        status: 429,
        retry_after,
        content_type: JSON,
        body: Bytes::from_static(b"{\"error\":\"slow\"}"),
    };
    Rung { temporary: Some(true), read_kinds: &[], ..rung(name, fault, &[RateLimited], Change::NotMade) }
}

/// The ladder.
fn ladder(kit: &Kit) -> Vec<Rung> {
    use Change::{Either, MayBeMade, NotMade};
    const OPEN: &[ErrorKind] = &[Unavailable, TimedOut];
    const GARBLED: &[ErrorKind] = &[MalformedResponse, Unavailable];
    let for_good = |rung: Rung| Rung { temporary: Some(false), read_kinds: &[], ..rung };
    let mut ladder = vec![
        status("400", 400, &[Refused, InvalidInput, MalformedResponse, Configuration], Either),
        for_good(status("401", 401, &[Unauthorized, CredentialExpired], NotMade)),
        for_good(status("403", 403, &[Forbidden, Unauthorized], NotMade)),
        status("404", 404, &[NotFound, Configuration, Refused, Unsupported, MalformedResponse], Either),
        status("408", 408, OPEN, MayBeMade),
        status("409", 409, &[Refused, InvalidInput, Busy, RateLimited, Unavailable], Either),
        limited("429", None),
        limited("429 with Retry-After", Some(LONG)),
        status("500", 500, OPEN, MayBeMade),
        rung("502 with HTML", Fault::status(502, "text/html", GATEWAY), OPEN, MayBeMade),
        status("503", 503, OPEN, MayBeMade),
        rung("504 with HTML", Fault::status(504, "text/html", GATEWAY), OPEN, MayBeMade),
        rung("200 with HTML", Fault::status(200, "text/html", GATEWAY), GARBLED, MayBeMade),
        rung("200 with nothing", Fault::status(200, JSON, ""), GARBLED, MayBeMade),
        rung("200 cut off", Fault::CutBody, GARBLED, MayBeMade),
        rung("no answer", Fault::NoAnswer, OPEN, MayBeMade),
    ];
    if let Ok(answer) = kit.harness.error_answer("the request was refused") {
        let fault = Fault::Answer {
            status: answer.status,
            retry_after: None,
            content_type: answer.content_type,
            body: answer.body.into(),
        };
        // Which kind it is depends on the channel's code; that it is no success does not.
        ladder.push(Rung { temporary: None, ..rung("200 with an error", fault, &[], Either) });
    }
    ladder
}

/// What an operation does when nothing goes wrong.
struct Course {
    requests: usize,
    /// The first request that changes something.
    write: Option<usize>,
    /// The last one.
    last_write: Option<usize>,
}

async fn course(kit: &Kit, op: Op) -> Result<Course, Stop> {
    let shop = kit.good().await?;
    let subject = op.subject(kit, &shop).await?;
    let shop = kit.good().await?;
    shop.wire.calm();
    let end = op.run(kit, &shop, &subject).await?;
    ensure!(end.is_done(), "{op:?} fails although nothing goes wrong: {end:?}");
    let seen = shop.wire.seen();
    if seen.is_empty() {
        return not_applicable("the operation sends nothing");
    }
    let write = seen.iter().position(|exchange| exchange.changes > 0);
    ensure!(!op.is_write() || write.is_some(), "{op:?} is said to be done, and the server changed nothing");
    ensure!(op.is_write() || write.is_none(), "{op:?} is a read, and the server changed something");
    let last_write = seen.iter().rposition(|exchange| exchange.changes > 0);
    Ok(Course { requests: seen.len(), write, last_write })
}

fn places(course: &Course) -> Vec<usize> {
    let all = 0..course.requests;
    if course.requests <= MOST_PLACES {
        return all.collect();
    }
    let near_end = course.requests - MOST_PLACES / 2;
    all.filter(|at| *at < MOST_PLACES / 2 || *at >= near_end || Some(*at) == course.write).collect()
}

async fn climb(kit: &Kit, op: Op) -> Checked {
    let course = course(kit, op).await?;
    let healthy = kit.good().await?;
    let mut subject = op.subject(kit, &healthy).await?;
    for at in places(&course) {
        for rung in ladder(kit) {
            if kit.is_excused(&format!("{}/{}", name(op), rung.name)) {
                continue;
            }
            let shop = kit.good().await?;
            let before = kit.harness.changes();
            shop.wire.strike(at, usize::MAX, rung.fault.clone());
            let end = op.run(kit, &shop, &subject).await?;
            // What is only looked up behind the change leaves it done: the server must show it, once.
            let settled = end.is_done()
                && course.last_write.is_some_and(|write| at > write)
                && kit.is_excused(&format!("{}/behind the change", name(op)));
            if settled {
                op.is_made_once(kit, &shop, &subject).await?;
            }
            let wrong = if settled { None } else { judge(op, &course, at, &rung, &end) };
            let wrong = wrong.or_else(|| count(op, &shop, &course, at, &rung, &end));
            if let Some(why) = wrong {
                let told = end.error().map(told).unwrap_or_else(|| format!("{end:?}"));
                return Err(Stop::Failed(format!("{} at request {}: {why}: {told}", rung.name, at + 1)));
            }
            if let Some(error) = end.error() {
                kit.keeps_quiet(&format!("the error of {}", rung.name), &format!("{error} {error:?}"))?;
            }
            if kit.harness.changes() != before {
                subject = op.subject(kit, &healthy).await?;
            }
        }
    }
    Ok(())
}

/// What is wrong about how it ended.
fn judge(op: Op, course: &Course, at: usize, rung: &Rung, end: &End) -> Option<String> {
    if let End::Miscounted(count) = end {
        return Some(format!("the error is swallowed, with {count} results"));
    }
    // The first read proves the credentials; what a later one could not prove may be "assumed".
    if op == Op::Test && at > 0 && end.is_done() {
        return None;
    }
    if end.is_done() {
        return Some("a bad answer is taken for success".to_owned());
    }
    if op == Op::Read && matches!(end, End::Refused(_)) {
        return Some("the order counts as gone from the channel, and would be dropped".to_owned());
    }
    let writes = course.write == Some(at);
    let kind = end.kind()?;
    let fits = rung.kinds.contains(&kind) || (!writes && rung.read_kinds.contains(&kind));
    if !rung.kinds.is_empty() && !fits {
        return Some(format!("the kind is none of {:?}", rung.kinds));
    }
    if let Some(wanted) = rung.temporary.filter(|wanted| *wanted != end.is_temporary()) {
        return Some(format!("said to be {}", if wanted { "final" } else { "temporary" }));
    }
    if rung.name == "429 with Retry-After" {
        let delay = end.error().and_then(crate::Error::retry_after);
        if delay.is_none_or(|delay| delay.as_secs().abs_diff(u64::from(LONG)) > 60) {
            return Some(format!("the delay that the channel asked for is not told: {delay:?}"));
        }
    }
    match rung.change {
        Change::MayBeMade if writes && !end.is_unknown() => {
            Some("the change may have been made, and nobody is told".to_owned())
        }
        // Behind the write, it may have been made.
        Change::NotMade if end.is_unknown() && course.write.is_none_or(|write| at <= write) => {
            Some("nothing was changed, and it is said to be unknown".to_owned())
        }
        _ => None,
    }
}

/// What is wrong about how often it was sent.
fn count(op: Op, shop: &Shop, course: &Course, at: usize, rung: &Rung, end: &End) -> Option<String> {
    let (sent, last) = (shop.wire.struck(), at + 1 == course.requests);
    let most = ATTEMPTS * (course.requests - at);
    if sent > most {
        return Some(format!(
            "sent {sent} times, at most {most} are due: something repeats beside the HTTP layer"
        ));
    }
    if rung.name == "429 with Retry-After" && sent > course.requests - at {
        return Some(format!("sent {sent} times before the time that the channel asked for"));
    }
    let open = rung.change == Change::MayBeMade;
    let once = course.write == Some(at) && op.repeat(shop) == Some(Repeat::ReadFirst);
    if open && once && repeats_write(shop, at) {
        return Some(format!("a call that is not safe to repeat was repeated ({sent} requests)"));
    }
    let status = rung.name.starts_with('5') || rung.name == "no answer";
    if status && !op.is_write() && last && end.is_temporary() && sent < ATTEMPTS {
        return Some(format!("a read that may be repeated was sent {sent} times of {ATTEMPTS}"));
    }
    None
}

fn name(op: Op) -> &'static str {
    match op {
        Op::Test => "bad_answers_to_the_connection_test",
        Op::Fetch => "bad_answers_to_fetching_orders",
        Op::Read => "bad_answers_to_reading_an_order",
        Op::Confirm => "bad_answers_to_confirming",
        Op::ConfirmWithDate => "bad_answers_to_confirming_with_a_ship_date",
        Op::SetShipDate => "bad_answers_to_setting_a_ship_date",
        Op::Dispatch => "bad_answers_to_reporting_a_parcel",
        Op::UpdateTracking => "bad_answers_to_correcting_a_tracking_number",
        Op::SetStock => "bad_answers_to_setting_a_quantity",
        Op::ReadStock => "bad_answers_to_reading_a_quantity",
        Op::List => "bad_answers_to_listing_listings",
        Op::ListCancels => "bad_answers_to_listing_cancel_requests",
        Op::Decide => "bad_answers_to_deciding_a_cancellation",
        Op::ReadExpiry => "bad_answers_to_reading_the_expiry",
        Op::Replace => "bad_answers_to_replacing_credentials",
    }
}

macro_rules! ladders {
    ($($name:ident: $op:ident;)*) => {$(
        /// The ladder of bad answers, at each request of this operation.
        pub async fn $name(kit: &Kit) -> Checked {
            climb(kit, Op::$op).await
        }
    )*};
}

ladders! {
    bad_answers_to_the_connection_test: Test;
    bad_answers_to_fetching_orders: Fetch;
    bad_answers_to_reading_an_order: Read;
    bad_answers_to_confirming: Confirm;
    bad_answers_to_confirming_with_a_ship_date: ConfirmWithDate;
    bad_answers_to_setting_a_ship_date: SetShipDate;
    bad_answers_to_reporting_a_parcel: Dispatch;
    bad_answers_to_correcting_a_tracking_number: UpdateTracking;
    bad_answers_to_setting_a_quantity: SetStock;
    bad_answers_to_reading_a_quantity: ReadStock;
    bad_answers_to_listing_listings: List;
    bad_answers_to_listing_cancel_requests: ListCancels;
    bad_answers_to_deciding_a_cancellation: Decide;
    bad_answers_to_reading_the_expiry: ReadExpiry;
    bad_answers_to_replacing_credentials: Replace;
}

/// The server makes the change and its answer is lost, wholly or by half.
async fn lose(kit: &Kit, op: Op) -> Checked {
    let course = course(kit, op).await?;
    let Some(at) = course.write else { return not_applicable("the operation changes nothing") };
    for (times, fault, what) in [
        (usize::MAX, Fault::Lost, "the answer is lost"),
        (1, Fault::Lost, "the first answer is lost"),
        (1, Fault::Half, "half of the answer comes"),
        (usize::MAX, Fault::Short, "half of the answer comes and ends as if it were whole"),
    ] {
        let healthy = kit.good().await?;
        let subject = op.subject(kit, &healthy).await?;
        let shop = kit.good().await?;
        shop.wire.strike(at, times, fault);
        let end = op.run(kit, &shop, &subject).await?;
        let mut made = op.is_made_once(kit, &shop, &subject).await;
        if made.is_err() && end.is_unknown() && course.last_write.is_some_and(|last| last > at) {
            // The steps behind the lost one were not made: whoever reads the order and goes on makes them, and nothing twice.
            let subject = subject.reread(kit, &healthy).await?;
            let rest = op.run(kit, &healthy, &subject).await?;
            ensure!(rest.is_done(), "{what}, and the rest can't be made later: {rest:?}");
            made = op.is_made_once(kit, &healthy, &subject).await;
        }
        made.map_err(|stop| within(stop, what))?;
        let safe = op.repeat(&shop) == Some(Repeat::Safe);
        let sent = shop.wire.seen().len().saturating_sub(at);
        if end.is_done() {
            ensure!(times == 1, "{what}, every time, and it is said to be done");
        } else {
            ensure!(
                end.is_unknown(),
                "{what}; the change was made, and the caller is told otherwise: {end:?}"
            );
        }
        if op.repeat(&shop) == Some(Repeat::ReadFirst) {
            let writes = shop.wire.seen().iter().filter(|exchange| exchange.changes > 0).count();
            ensure!(
                writes == 1 && !repeats_write(&shop, at),
                "{what}; a call not safe to repeat was repeated"
            );
        }
        ensure!(!safe || sent <= ATTEMPTS * (course.requests - at), "{what}; sent {sent} times");
    }
    Ok(())
}

/// Whether the request that changed something was sent again.
fn repeats_write(shop: &Shop, at: usize) -> bool {
    let seen = shop.wire.seen();
    let what = seen.get(at).map(|exchange| exchange.what.clone());
    seen.iter().skip(at + 1).any(|exchange| Some(&exchange.what) == what.as_ref())
}

fn within(stop: Stop, what: &str) -> Stop {
    match stop {
        Stop::Failed(why) => Stop::Failed(format!("{what}: {why}")),
        other => other,
    }
}

macro_rules! losses {
    ($($name:ident: $op:ident;)*) => {$(
        /// The change is made and the answer is lost: nothing is made twice, and the caller is told that nobody knows.
        pub async fn $name(kit: &Kit) -> Checked {
            lose(kit, Op::$op).await
        }
    )*};
}

losses! {
    a_lost_answer_to_confirming: Confirm;
    a_lost_answer_to_confirming_with_a_ship_date: ConfirmWithDate;
    a_lost_answer_to_setting_a_ship_date: SetShipDate;
    a_lost_answer_to_reporting_a_parcel: Dispatch;
    a_lost_answer_to_correcting_a_tracking_number: UpdateTracking;
    a_lost_answer_to_setting_a_quantity: SetStock;
    a_lost_answer_to_deciding_a_cancellation: Decide;
}

/// Nothing longer than the caller's budget is waited for (AH-3).
pub async fn no_call_waits_beyond_its_budget(kit: &Kit) -> Checked {
    let shop = kit.good().await?;
    let busy = Fault::Answer { status: 503, retry_after: Some(LONG), content_type: JSON, body: Bytes::new() };
    shop.wire.strike(0, usize::MAX, busy);
    let end =
        shop.channel.orders().fetch(&kit.cx(), &crate::channel::OrderQuery::window(kit.lately()), None).await;
    let Err(error) = end else { return super::kit::failed("a 503 is taken for success") };
    ensure!(shop.wire.struck() == 1, "sent {} times before the time that was asked for", shop.wire.struck());
    ensure!(error.retry_after() == Some(Duration::from_secs(u64::from(LONG))), "{}", told(&error));
    Ok(())
}
