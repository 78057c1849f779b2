//! Options: what was chosen, what is in force, and the same as data.
#![allow(clippy::unwrap_used)]

mod model;

use std::sync::Arc;

use model::{Market, ModelChannel};
use proptest::prelude::*;
use sales_channels::channel::{HandOver, Notify, OptionCode};
use sales_channels::model::{ManualClock, Sku};
use sales_channels::options::{
    AccountFacts, AccountMode, ConfirmPolicy, DeliveryTracking, EffectiveOptions, OptionKey, OptionKind,
    OptionSet, Percent, Reconcile, ShipOffset, StockShare, describe, json_schema,
};
use serde_json::json;

/// A channel with everything, or with nothing but orders.
fn channel(rich: bool) -> ModelChannel {
    let market = Market::new(Arc::new(ManualClock::at(model::at("2026-11-24T10:00"))));
    market.switch(|s| {
        s.confirm = rich;
        s.ship_date = rich.then_some(true);
        s.dispatch = rich;
        s.stock = rich;
        s.notify = rich;
        s.credentials = rich;
        s.hand_over = if rich { &[HandOver::PickUp, HandOver::DropOff] } else { &[] };
        s.option_code = if rich { OptionCode::Choice } else { OptionCode::Plain };
    });
    ModelChannel::new(Arc::new(market), Arc::default())
}

fn full() -> AccountFacts {
    AccountFacts::authorised().with_centre()
}

fn errors(set: OptionSet, rich: bool, facts: AccountFacts) -> Vec<(String, &'static str, String)> {
    match EffectiveOptions::check(&set, &channel(rich), facts) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.0.into_iter().map(|e| (e.option, e.rule, e.reason)).collect(),
    }
}

fn in_force(set: OptionSet, rich: bool, facts: AccountFacts) -> EffectiveOptions {
    EffectiveOptions::check(&set, &channel(rich), facts).unwrap()
}

#[test]
fn the_defaults_are_those_of_the_specification() {
    let options = in_force(OptionSet::default(), true, full());
    assert!(options.order_sync(), "OS");
    assert_eq!(options.zone(), chrono_tz::Asia::Seoul, "OS-2");
    assert_eq!(options.lookback(), chrono::TimeDelta::minutes(15), "OS-7");
    assert_eq!(options.confirm(), ConfirmPolicy::FullAuto, "OC");
    assert!(!options.instructs(), "FI");
    assert_eq!(options.stock(), None, "SS");
    assert_eq!(options.mode(), AccountMode::ProcessingAndStatistics, "AM");
    assert_eq!(options.tracking(), DeliveryTracking::ProcessedHere, "DT");
    assert_eq!(options.ship_offset(), None, "SD");
    assert_eq!(options.notify(), Some(Notify::Nobody), "NB: the channel is told not to");
    assert!(!options.sku_from_channel(), "RC");
    assert_eq!(options.hand_over(), None, "HM");
}

#[test]
fn oc_3_confirmation_is_not_offered_by_a_channel_without_it() {
    let set = OptionSet { confirmation: Some(Default::default()), ..OptionSet::default() };
    let found = errors(set, false, full());
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0.as_str(), found[0].1), ("confirmation", "OC"));
    assert_eq!(in_force(OptionSet::default(), false, full()).confirm(), ConfirmPolicy::NotNeeded);
}

#[test]
fn fi_and_ss_need_a_fulfilment_centre() {
    let set = OptionSet {
        fulfilment_instruction: Some(true),
        stock_sync: Some(StockShare { share_percent: 50, reserve: 0 }),
        ..OptionSet::default()
    };
    let found = errors(set, true, AccountFacts::authorised());
    assert_eq!(found.iter().map(|e| e.1).collect::<Vec<_>>(), ["FI", "SS"]);
    assert!(found.iter().all(|e| e.2.contains("no fulfilment centre")));
}

#[test]
fn ss_1_a_share_is_1_to_100_percent_and_a_reserve_is_not_negative() {
    for (share_percent, reserve, good) in
        [(0, 0, false), (1, 0, true), (100, 0, true), (101, 0, false), (-1, 0, false), (50, -1, false)]
    {
        let set =
            OptionSet { stock_sync: Some(StockShare { share_percent, reserve }), ..OptionSet::default() };
        assert_eq!(errors(set, true, full()).is_empty(), good, "{share_percent} % less {reserve}");
    }
}

#[test]
fn ss_8_stock_sync_is_not_offered_by_a_channel_without_it() {
    let set =
        OptionSet { stock_sync: Some(StockShare { share_percent: 50, reserve: 0 }), ..OptionSet::default() };
    let found = errors(set, false, full());
    assert!(found[0].2.contains("takes no stock"), "{found:?}");
}

#[test]
fn ss_11_reconcile_needs_stock_sync() {
    let set = OptionSet { reconcile: Some(Reconcile::Repair), ..OptionSet::default() };
    assert!(errors(set, true, full())[0].2.contains("stock_sync"));
}

#[test]
fn am_2_statistics_only_refuses_everything_that_would_act() {
    let set = OptionSet {
        mode: Some(AccountMode::StatisticsOnly),
        fulfilment_instruction: Some(true),
        stock_sync: Some(StockShare { share_percent: 50, reserve: 0 }),
        ship_offset: Some(1),
        ..OptionSet::default()
    };
    let found = errors(set, true, full());
    let options: Vec<&str> = found.iter().map(|e| e.0.as_str()).collect();
    assert_eq!(options, ["fulfilment_instruction", "stock_sync", "ship_offset"]);
    assert!(found.iter().all(|e| e.2.contains("statistics-only")));
}

#[test]
fn am_3_statistics_only_leaves_one_delivery_tracking_choice() {
    let mut set = OptionSet { mode: Some(AccountMode::StatisticsOnly), ..OptionSet::default() };
    assert_eq!(in_force(set.clone(), true, full()).tracking(), DeliveryTracking::AllCollected);
    set.delivery_tracking = Some(DeliveryTracking::ProcessedHere);
    assert!(errors(set, true, full())[0].2.contains("AM-3"));
}

#[test]
fn sd_1_the_offset_is_d0_to_d3() {
    for (days, good) in [(-1, false), (0, true), (3, true), (4, false)] {
        let set = OptionSet { ship_offset: Some(days), ..OptionSet::default() };
        let found = errors(set, true, full());
        assert_eq!(found.is_empty(), good, "D+{days}");
        if !good {
            assert!(found[0].2.contains("D+0 to D+3"));
        }
    }
    let set = OptionSet { ship_offset: Some(1), ..OptionSet::default() };
    assert!(errors(set, false, full())[0].2.contains("no expected ship date"));
}

#[test]
fn nb_1_is_offered_by_channels_that_let_the_seller_decide() {
    let set = OptionSet { notify_buyer: Some(true), ..OptionSet::default() };
    assert_eq!(in_force(set.clone(), true, full()).notify(), Some(Notify::Buyer));
    assert_eq!(errors(set, false, full())[0].1, "NB");
    assert_eq!(in_force(OptionSet::default(), false, full()).notify(), None);
}

#[test]
fn rc_1_and_rc_2_the_option_code_is_a_choice_only_where_the_channel_has_one() {
    let set = OptionSet { option_code_as_sku: Some(true), ..OptionSet::default() };
    assert!(in_force(set.clone(), true, full()).sku_from_channel());
    assert_eq!(errors(set, false, full())[0].1, "RC");
    assert!(in_force(OptionSet::default(), false, full()).sku_from_channel());
}

#[test]
fn hm_2_a_hand_over_method_can_be_chosen_only_after_authorisation() {
    let set = OptionSet { hand_over: Some(HandOver::PickUp), ..OptionSet::default() };
    assert_eq!(in_force(set.clone(), true, full()).hand_over(), Some(HandOver::PickUp));
    let mut facts = full();
    facts.authorised = false;
    assert!(errors(set.clone(), true, facts)[0].2.contains("not authorised"));
    assert!(errors(set, false, full())[0].2.contains("does not ask"));
}

#[test]
fn ke_1_a_date_can_be_entered_where_credentials_end() {
    let set = OptionSet { credentials_end: Some(model::at("2027-01-01T00:00")), ..OptionSet::default() };
    assert!(in_force(set.clone(), true, full()).credentials_end().is_some());
    assert_eq!(errors(set, false, full())[0].1, "KE");
}

#[test]
fn an_unknown_zone_and_sizes_out_of_range_are_errors() {
    let set = OptionSet {
        schedule_zone: Some("Asia/Nowhere".into()),
        max_orders_per_cycle: Some(0),
        lookback_minutes: Some(1441),
        ..OptionSet::default()
    };
    assert_eq!(errors(set, true, full()).len(), 3, "all at once, not the first only");
}

#[test]
fn an_unknown_field_is_refused_when_the_set_is_read() {
    assert!(serde_json::from_str::<OptionSet>(r#"{"confirmaton": "manual"}"#).is_err());
}

#[test]
fn an_option_that_the_channel_does_not_describe_is_refused() {
    let set = OptionSet { channel: [("gift".to_owned(), json!(true))].into(), ..OptionSet::default() };
    assert!(errors(set, true, full())[0].2.contains("no such option"));
}

#[test]
fn every_option_is_described_in_three_languages() {
    let described = describe(&channel(true), full());
    assert_eq!(described.len(), OptionKey::ALL.len());
    for option in &described {
        let d = &option.description;
        for text in [d.label, d.help] {
            assert!(text.en.is_ascii(), "{}: {}", d.key, text.en);
            let kana =
                |c: char| ('\u{3040}'..='\u{30ff}').contains(&c) || ('\u{4e00}'..='\u{9fff}').contains(&c);
            assert!(text.ja.chars().any(kana), "{}: {}", d.key, text.ja);
            assert!(
                text.ko.chars().any(|c| ('\u{ac00}'..='\u{d7a3}').contains(&c)),
                "{}: {}",
                d.key,
                text.ko
            );
        }
        assert_eq!(option.hidden, None, "{}: this channel has everything", d.key);
    }
}

#[test]
fn what_is_hidden_says_why_and_choosing_it_is_the_same_error() {
    let poor = channel(false);
    let facts = AccountFacts::authorised();
    let chosen = json!({
        "confirmation": "manual", "fulfilment_instruction": true, "stock_sync": {"share_percent": 10},
        "reconcile": "report", "ship_offset": 1, "holidays": ["2026-12-25"], "notify_buyer": true,
        "credentials_end": "2027-01-01T00:00:00Z", "option_code_as_sku": true, "hand_over": "pick_up",
    });
    let set: OptionSet = serde_json::from_value(chosen.clone()).unwrap();
    let refused = EffectiveOptions::check(&set, &poor, facts).unwrap_err();
    let hidden: Vec<_> = describe(&poor, facts)
        .into_iter()
        .filter_map(|o| Some((o.description.key.to_owned(), o.hidden?.to_owned())))
        .collect();
    assert_eq!(hidden.len(), chosen.as_object().unwrap().len());
    for (key, reason) in hidden {
        assert!(refused.0.iter().any(|e| e.option == key && e.reason == reason), "{key}: {reason}");
    }
    assert!(refused.to_string().contains("Model"), "the channel is named");
}

#[test]
fn defaults_and_ranges_of_the_descriptions_are_those_that_are_checked() {
    for option in describe(&channel(true), full()) {
        let d = option.description;
        let with = |value: serde_json::Value| {
            let set: OptionSet = serde_json::from_value(json!({d.key: value})).unwrap();
            EffectiveOptions::check(&set, &channel(true), full())
        };
        if !d.default.is_null() {
            let chosen = with(d.default.clone()).unwrap();
            let absent = EffectiveOptions::check(&OptionSet::default(), &channel(true), full()).unwrap();
            assert_eq!(chosen, absent, "{} at its default is as if absent", d.key);
        }
        if let OptionKind::Integer { min, max } = d.kind {
            assert!(with(json!(min)).is_ok() && with(json!(max)).is_ok(), "{}", d.key);
            assert!(with(json!(min - 1)).is_err() && with(json!(max + 1)).is_err(), "{}", d.key);
        }
    }
}

fn any_set() -> impl Strategy<Value = serde_json::Value> {
    let maybe = |value: BoxedStrategy<serde_json::Value>| prop::option::weighted(0.3, value);
    let one_of =
        |words: &'static [&'static str]| maybe(prop::sample::select(words).prop_map(|w| json!(w)).boxed());
    let number = |from: i64, to: i64| maybe((from..=to).prop_map(|n| json!(n)).boxed());
    let flag = || maybe(any::<bool>().prop_map(|b| json!(b)).boxed());
    let share = maybe(
        (-1_i64..=102, -1_i64..=3).prop_map(|(s, r)| json!({"share_percent": s, "reserve": r})).boxed(),
    );
    (
        (flag(), number(-1, 2), number(-1, 1442), one_of(&["full_auto", "manual"]), flag(), share),
        (
            one_of(&["off", "report", "repair"]),
            one_of(&["processing_and_statistics", "statistics_only"]),
            one_of(&["processed_here", "all_collected"]),
            number(-1, 5),
            flag(),
            flag(),
            one_of(&["pick_up", "drop_off"]),
        ),
    )
        .prop_map(|((a, b, c, d, e, f), (g, h, i, j, k, l, m))| {
            let names = [
                "order_sync",
                "max_orders_per_cycle",
                "lookback_minutes",
                "confirmation",
                "fulfilment_instruction",
                "stock_sync",
                "reconcile",
                "mode",
                "delivery_tracking",
                "ship_offset",
                "notify_buyer",
                "option_code_as_sku",
                "hand_over",
            ];
            let values = [a, b, c, d, e, f, g, h, i, j, k, l, m];
            names.into_iter().zip(values).filter_map(|(n, v)| Some((n.to_owned(), v?))).collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_json_schema_accepts_what_the_check_accepts(chosen in any_set(), rich: bool, centre: bool) {
        let channel = channel(rich);
        let facts = if centre { full() } else { AccountFacts::authorised() };
        let schema = json_schema(&channel, facts);
        let set: OptionSet = serde_json::from_value(chosen.clone()).unwrap();
        let checked = EffectiveOptions::check(&set, &channel, facts);
        prop_assert_eq!(
            jsonschema::is_valid(&schema, &chosen), checked.is_ok(), "{}: {:?}", chosen, checked.err()
        );
    }

    #[test]
    fn ss_1_what_is_shown_is_never_more_than_what_is_left(
        on_hand: u32, held in 0_u64..=u64::from(u32::MAX) * 4, reserve: u32, percent in 1_i64..=100,
    ) {
        let share = Percent::new(percent).unwrap();
        let shown = sales_channels::policy::stock::shown(on_hand, held, reserve, share);
        let left = (i128::from(on_hand) - i128::from(held) - i128::from(reserve)).max(0);
        prop_assert_eq!(i128::from(shown), left * i128::from(percent) / 100);
    }

    #[test]
    fn sd_2_ship_dates_are_working_days_and_offsets_count_only_those(
        minutes in 0_i64..60 * 24 * 365 * 3, days in 0_i64..=3, free in prop::collection::btree_set(0_u64..1200, 0..60),
    ) {
        use chrono::{Datelike, Days, NaiveDate, TimeDelta, Weekday};
        let start = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let holidays = free.iter().map(|d| start + Days::new(*d)).collect();
        let confirmed = start.and_hms_opt(0, 0, 0).unwrap().and_utc() + TimeDelta::minutes(minutes);
        let zone = chrono_tz::Asia::Tokyo;
        let date = sales_channels::policy::ship_date::expected(
            confirmed, ShipOffset::new(days).unwrap(), zone, &holidays,
        );
        let working = |d: &NaiveDate| {
            !matches!(d.weekday(), Weekday::Sat | Weekday::Sun) && !holidays.contains(d)
        };
        prop_assert!(working(&date));
        // Counted the other way round: from day zero up to the date there are exactly so many working days.
        let first = confirmed.with_timezone(&zone).date_naive();
        let between = first.iter_days().take_while(|d| d < &date).filter(working).count();
        prop_assert_eq!(between as i64, days);
    }

    #[test]
    fn ss_10_a_bundle_shows_the_fewest_that_its_parts_allow(
        parts in prop::collection::vec((0_u32..500, 0_u64..50, 1_u32..5), 1..5), percent in 1_i64..=100,
    ) {
        use sales_channels::model::Component;
        use sales_channels::options::StockPolicy;
        use sales_channels::policy::stock::{listing_quantity, shown};
        let share = Percent::new(percent).unwrap();
        let sku = |n: usize| Sku::from(format!("S{n}"));
        let components: Vec<_> =
            parts.iter().enumerate().map(|(n, p)| Component { sku: sku(n), quantity: p.2 }).collect();
        let on_hand = parts.iter().enumerate().map(|(n, p)| (sku(n), p.0)).collect();
        let held = parts.iter().enumerate().map(|(n, p)| (sku(n), p.1)).collect();
        let policy = policy(share);
        let quantity = listing_quantity(&components, &on_hand, &held, policy).unwrap();
        for (n, part) in parts.iter().enumerate() {
            let most = shown(part.0, part.1, 0, share);
            prop_assert!(quantity * part.2 <= most, "part {} would be oversold", n);
        }
        let binding = parts.iter().any(|p| (quantity + 1) * p.2 > shown(p.0, p.1, 0, share));
        prop_assert!(binding, "one more would be possible");
        fn policy(share: Percent) -> StockPolicy {
            let set = OptionSet {
                stock_sync: Some(StockShare { share_percent: i64::from(share.get()), reserve: 0 }),
                ..OptionSet::default()
            };
            in_force(set, true, full()).stock().unwrap()
        }
    }
}
