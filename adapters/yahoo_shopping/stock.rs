//! Quantities, always absolute and without a sign ("Read stock", "Set stock"): a sign would add, and a repeat would
//! count twice. What beside the quantity the call would reset goes back as it was just read.

use std::collections::HashMap;

use crate::channel::{
    Context, Operation, Outcome, Refusal, Repeat, StockAccepted, StockChange, concerns_account, whole,
};
use crate::error::{Error, Result, Retry};
use crate::http::Nature;
use crate::lenient::integer;
use crate::model::ListingKey;
use crate::xml::Element;

use super::auth::{Api, Ask, Body};
use super::errors::{Method, stock_meaning};
use super::wire::{filled, with_root};

/// A number without a sign replaces: a second call sets the same.
const REPEAT: Repeat = Repeat::Safe;

/// Most codes in one call.
pub(super) const MOST_CODES: usize = 1000;
/// Largest quantity.
pub(super) const MOST_PIECES: u32 = 999_999_999;
/// Longest code, in characters.
const MOST_CODE: usize = 99;
/// Set, but the channel could not read it back.
const NOT_READ_BACK: &str = "ed-10002";
/// A call of which some codes were refused is made once more for the others: the documentation contradicts itself on
/// whether one error undoes the whole.
const ROUNDS: usize = 2;

/// What names a quantity in calls: `code` or `code:subcode`.
///
/// # Errors
/// A refusal when it has characters that would make another code of it, or several.
pub(super) fn code_of(listing: &ListingKey) -> Result<String, Refusal> {
    let sound = |text: &str| {
        !text.is_empty()
            && text.len() <= MOST_CODE
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    let parts_are_sound = sound(&listing.item) && (listing.option.is_empty() || sound(&listing.option));
    if !parts_are_sound {
        return Err(Refusal::new("", "an item code has letters, digits and hyphens, at most 99"));
    }
    Ok(code(&listing.item, &listing.option))
}

fn code(item: &str, option: &str) -> String {
    if option.is_empty() { item.to_owned() } else { format!("{item}:{option}") }
}

/// The code that a row of an answer is about.
fn row_code(row: &Element<'_>) -> String {
    code(row.field("ItemCode"), row.field("SubCode"))
}

/// Asks for quantities.
pub(super) fn read_ask(seller: &str, codes: &[&str]) -> Ask {
    let fields = vec![("seller_id", seller.to_owned()), ("item_code", codes.join(","))];
    Ask { method: Method::GetStock, body: Body::Form(fields) }
}

/// A stock record as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Whether there is one.
    pub(super) exists: bool,
    /// Pieces; `None`: unlimited.
    pub(super) quantity: Option<u32>,
    /// `AllowOverdraft` as it came.
    pub(super) overdraft: String,
}

/// The records in an answer of `getStock`, by code.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn read_result(body: &[u8]) -> Result<HashMap<String, Record>> {
    with_root(body, |root| {
        let records = root.all("Result").filter_map(|row| {
            let record = match (row.field("Status"), row.field("Quantity")) {
                ("0", _) => Record { exists: false, quantity: None, overdraft: String::new() },
                ("1", quantity) => Record {
                    exists: true,
                    quantity: match quantity {
                        "" => None,
                        // One that can't be read is as if the row were missing.
                        number => Some(pieces(number)?),
                    },
                    overdraft: row.field("AllowOverdraft").to_owned(),
                },
                _ => return None,
            };
            Some((row_code(row), record))
        });
        Ok(records.collect())
    })
}

/// Pieces; one below zero (bought beyond stock) shows as none.
fn pieces(text: &str) -> Option<u32> {
    integer(text).map(|number| u32::try_from(number.max(0)).unwrap_or(u32::MAX))
}

/// A quantity to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Push {
    pub(super) code: String,
    pub(super) quantity: u32,
    pub(super) overdraft: String,
}

/// What is to be sent for a change, by the record that was just read.
///
/// # Errors
/// A refusal where there is no record: the call would make one. And where it can't be read whether it may be bought
/// beyond stock: the call would reset that.
pub(super) fn push(code: &str, quantity: u32, record: &Record) -> Result<Push, Refusal> {
    let no = |message: &str| Refusal::new("", message);
    if !record.exists {
        return Err(no("the channel has no stock record of this code, and the call would make one"));
    }
    if !matches!(record.overdraft.as_str(), "0" | "1") {
        return Err(no("whether the item may be bought beyond its stock can't be read, and would be reset"));
    }
    if quantity > MOST_PIECES {
        return Err(no("the largest quantity is 999,999,999"));
    }
    Ok(Push { code: code.to_owned(), quantity, overdraft: record.overdraft.clone() })
}

/// Sets quantities.
pub(super) fn set_ask(seller: &str, pushes: &[&Push]) -> Ask {
    let joined =
        |of: fn(&Push) -> String| pushes.iter().map(|push| of(push)).collect::<Vec<String>>().join(",");
    let fields = vec![
        ("seller_id", seller.to_owned()),
        ("item_code", joined(|push| push.code.clone())),
        ("quantity", joined(|push| push.quantity.to_string())),
        ("allow_overdraft", joined(|push| push.overdraft.clone())),
    ];
    Ask { method: Method::SetStock, body: Body::Form(fields) }
}

/// What an answer of `setStock` says of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// The quantity after the change.
    Set(u32),
    /// Its codes.
    Failed(String),
    /// It was set, or may have been: a read tells.
    Look,
}

/// What an answer of `setStock` says, by code. Where a part failed (HTTP 207), it is open whether the rest was set.
///
/// # Errors
/// `MalformedResponse` when the answer as a whole can't be read.
pub(super) fn set_result(body: &[u8]) -> Result<HashMap<String, Said>> {
    with_root(body, |root| {
        let failed = |row: &Element<'_>| filled(row.field("ErrorCode")).is_some();
        let in_part = root.all("Result").any(failed);
        let said = root.all("Result").map(|row| {
            let said = match (row.field("ErrorCode"), pieces(row.field("Quantity"))) {
                (NOT_READ_BACK, _) => Said::Look,
                ("", Some(quantity)) if !in_part => Said::Set(quantity),
                ("", _) => Said::Look,
                (codes, _) => Said::Failed(codes.to_owned()),
            };
            (row_code(row), said)
        });
        Ok(said.collect())
    })
}

fn refused(codes: &str) -> Refusal {
    let meanings = codes.split(',').map(|code| stock_meaning(code.trim()));
    Refusal::new(codes, meanings.filter(|meaning| !meaning.is_empty()).collect::<Vec<&str>>().join(", "))
}

fn unknown(why: &str) -> Error {
    Error::malformed(why).with_retry(Retry::Later).with_unknown_effect()
}

/// Sets quantities: one read, one call, and where a part failed a read and a call more.
pub(super) async fn set_stock(
    api: &Api,
    cx: &Context,
    changes: &[StockChange<'_>],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let mut outcomes: Vec<Option<Outcome<StockAccepted>>> = changes.iter().map(|_| None).collect();
    // Which change a code stands for. The same code twice in one call is refused by the channel.
    let mut places: HashMap<String, usize> = HashMap::new();
    for (n, (change, outcome)) in changes.iter().zip(&mut outcomes).enumerate() {
        match code_of(change.listing) {
            Err(no) => *outcome = Some(Outcome::Refused(no)),
            Ok(code) if places.contains_key(&code) => {
                *outcome = Some(Outcome::NotTried(Error::invalid("the listing is in the call twice")));
            }
            Ok(code) => drop(places.insert(code, n)),
        }
    }
    let mut codes: Vec<&str> = places.keys().map(String::as_str).collect();
    codes.sort_unstable_by_key(|code| places.get(*code));
    let mut failure = None;
    for chunk in codes.chunks(MOST_CODES) {
        let wanted: Vec<(&str, u32)> = chunk
            .iter()
            .filter_map(|code| Some((*code, changes.get(*places.get(*code)?)?.quantity)))
            .collect();
        let settled = match failure.clone().filter(concerns_account) {
            Some(error) => Err(error),
            None => set_chunk(api, cx, &wanted).await,
        };
        let mut settled = settled.unwrap_or_else(|error| {
            failure = Some(error.clone());
            chunk.iter().map(|code| ((*code).to_owned(), Outcome::from_error(&error))).collect()
        });
        for code in chunk {
            let place = places.get(*code).and_then(|n| outcomes.get_mut(*n));
            if let (Some(place), Some(outcome)) = (place, settled.remove(*code)) {
                *place = Some(outcome);
            }
        }
    }
    let lost = || Outcome::Unknown(unknown("no outcome for the listing"));
    let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(lost)).collect();
    match failure {
        // All were in the one call: the error is theirs alone.
        Some(error) if codes.len() == outcomes.len() && codes.len() <= MOST_CODES => Err(error),
        _ => whole(outcomes),
    }
}

/// The outcomes of one call's codes.
async fn set_chunk(
    api: &Api,
    cx: &Context,
    wanted: &[(&str, u32)],
) -> Result<HashMap<String, Outcome<StockAccepted>>> {
    let codes: Vec<&str> = wanted.iter().map(|(code, _)| *code).collect();
    let records = read_records(api, cx, &codes).await?;
    let mut outcomes = HashMap::new();
    let mut pushes: Vec<Push> = Vec::new();
    for (code, quantity) in wanted {
        match records.get(*code).map(|record| push(code, *quantity, record)) {
            Some(Ok(push)) => pushes.push(push),
            Some(Err(no)) => drop(outcomes.insert((*code).to_owned(), Outcome::Refused(no))),
            None => {
                let error = Error::malformed("the channel left the item out when its stock was read");
                outcomes.insert((*code).to_owned(), Outcome::NotTried(error));
            }
        }
    }
    for round in 1..=ROUNDS {
        if pushes.is_empty() {
            break;
        }
        // Only the first call's failure is one of all items: after it something is known.
        let sent = set_once(api, cx, &pushes).await;
        let (settled, open) = match sent {
            Err(error) if round == 1 && outcomes.is_empty() => return Err(error),
            Err(error) => {
                let all = pushes.drain(..).map(|push| (push.code, Outcome::from_error(&error)));
                outcomes.extend(all);
                break;
            }
            Ok(answer) => answer,
        };
        outcomes.extend(settled);
        pushes.retain(|push| open.contains(&push.code));
    }
    for push in pushes {
        outcomes.insert(push.code, Outcome::Unknown(unknown("the quantity that was set does not show")));
    }
    Ok(outcomes)
}

type Settled = HashMap<String, Outcome<StockAccepted>>;

/// One call. Answers with what is settled, and the codes that were not set although nothing is wrong with them.
async fn set_once(api: &Api, cx: &Context, pushes: &[Push]) -> Result<(Settled, Vec<String>)> {
    let ask = set_ask(&api.seller()?, &pushes.iter().collect::<Vec<_>>());
    let answer = api.call(cx, Operation::SetStock, Nature::from(REPEAT), &ask).await?;
    // It was sent: an answer that can't be read leaves it open what was done.
    let said = set_result(&answer.body).map_err(Error::with_unknown_effect)?;
    let mut settled = HashMap::new();
    let mut look: Vec<&Push> = Vec::new();
    for push in pushes {
        let outcome = match said.get(&push.code) {
            Some(Said::Set(quantity)) => Outcome::Done(StockAccepted { quantity: *quantity }),
            Some(Said::Failed(codes)) => Outcome::Refused(refused(codes)),
            Some(Said::Look) => {
                look.push(push);
                continue;
            }
            None => Outcome::Unknown(unknown("the answer leaves the listing out")),
        };
        settled.insert(push.code.clone(), outcome);
    }
    let mut open = Vec::new();
    if !look.is_empty() {
        let codes: Vec<&str> = look.iter().map(|push| push.code.as_str()).collect();
        let records = read_records(api, cx, &codes).await;
        for push in look {
            match records.as_ref().map(|records| records.get(&push.code)) {
                Ok(Some(record)) if record.quantity == Some(push.quantity) => {
                    let done = Outcome::Done(StockAccepted { quantity: push.quantity });
                    settled.insert(push.code.clone(), done);
                }
                Ok(_) => open.push(push.code.clone()),
                Err(error) => {
                    let why = error.clone().with_unknown_effect();
                    settled.insert(push.code.clone(), Outcome::Unknown(why));
                }
            }
        }
    }
    Ok((settled, open))
}

async fn read_records(api: &Api, cx: &Context, codes: &[&str]) -> Result<HashMap<String, Record>> {
    if codes.is_empty() {
        return Ok(HashMap::new());
    }
    let ask = read_ask(&api.seller()?, codes);
    read_result(&api.read(cx, Operation::ReadStock, &ask).await?.body)
}

/// Reads the quantities shown. Unlimited counts as the largest number: it sells more than any stock, and a comparison
/// must see that.
pub(super) async fn read_stock(
    api: &Api,
    cx: &Context,
    listings: &[ListingKey],
) -> Result<Vec<Outcome<StockAccepted>>> {
    let codes: Vec<Result<String, Refusal>> = listings.iter().map(code_of).collect();
    let mut wanted: Vec<&str> = codes.iter().flatten().map(String::as_str).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut records = HashMap::new();
    for chunk in wanted.chunks(MOST_CODES) {
        records.extend(read_records(api, cx, chunk).await?);
    }
    let outcomes = codes.into_iter().map(|code| match code.map(|code| records.get(&code)) {
        Err(no) => Outcome::Refused(no),
        Ok(Some(record)) if record.exists => {
            Outcome::Done(StockAccepted { quantity: record.quantity.unwrap_or(MOST_PIECES) })
        }
        Ok(Some(_)) => Outcome::Refused(Refusal::new("", "the channel has no stock record of this code")),
        Ok(None) => Outcome::NotTried(Error::malformed("the channel does not tell the quantity")),
    });
    whole(outcomes.collect())
}
