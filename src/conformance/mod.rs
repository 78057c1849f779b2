//! The conformance suite: what every adapter must do, ours and other people's.
//!
//! An adapter's author writes a [`Harness`]: how to make the adapter, and how to arrange a situation on the channel's
//! side (an order, a cancel request, expired credentials). [`conformance!`](crate::conformance!) turns the suite into
//! tests, one a behaviour:
//!
//! ```ignore
//! // tests/conformance.rs of the adapter's crate
//! sales_channels::conformance!(MyHarness::start(), at_least = 50);
//! ```
//!
//! Behaviours are chosen by what the adapter hands out. What the channel lacks shows as not applicable with the reason,
//! and never counts as passed; an [excuse](Harness::excuses) needs a reason and shows; a run in which fewer behaviours
//! passed than `at_least` fails.
//!
//! Each behaviour is a public function too: `windows::windows_that_touch_leave_no_gap(&kit).await`. Faults (bad answers,
//! lost answers, bodies without an end) are made on the way between adapter and server, so a harness needs none. Tests
//! run on one thread; a server on another thread is fine.

pub mod cancels;
pub mod confirm;
pub mod credentials;
pub mod dispatch;
pub mod fields;
mod harness;
mod kit;
pub mod ladder;
mod logs;
mod operations;
pub mod privacy;
mod report;
pub mod stock;
pub mod trouble;
pub mod windows;
mod wire;

pub use harness::{
    Arranged, Change, Connection, ErrorAnswer, Excuse, Harness, LineWish, ListingKind, ListingWish, Login,
    NotArranged, OrderWish, PersonWish, SeenDispatch, WebhookCall,
};
pub use kit::{Checked, Kit, Stop};
#[doc(hidden)]
pub use report::block_on;
pub use report::{ALL, Behaviour, Report, Verdict, at_least, check, report};

/// Turns the suite into tests, one a behaviour, and one that counts.
///
/// The first argument makes a fresh harness: a future of something that implements [`Harness`]. It is evaluated for each
/// behaviour. `at_least` is how many must pass. `then`, a function that may be left out, is given the [`Report`]: to
/// keep it, or to hold it against a page of your documentation.
#[macro_export]
macro_rules! conformance {
    ($harness:expr, at_least = $least:expr) => {
        $crate::conformance!($harness, at_least = $least, then = |_| ());
    };
    ($harness:expr, at_least = $least:expr, then = $then:expr) => {
        $crate::__conformance_behaviours!(__conformance_tests, $harness);

        #[test]
        fn the_suite_was_run() {
            let run = $crate::conformance::at_least($least, || async { $harness.await });
            let report: $crate::conformance::Report = $crate::conformance::block_on(run);
            let then: fn(&$crate::conformance::Report) = $then;
            then(&report);
        }
    };
}

/// One test a behaviour.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ([$harness:expr] $($area:ident: $($name:ident)*;)*) => {$($(
        #[test]
        fn $name() {
            $crate::conformance::block_on(async {
                $crate::conformance::check(stringify!($name), $harness.await).await;
            });
        }
    )*)*};
}

/// The table of behaviours.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_table {
    ([] $($area:ident: $($name:ident)*;)*) => {
        &[$($($crate::conformance::Behaviour {
            name: stringify!($name),
            area: stringify!($area),
            run: |kit| Box::pin($crate::conformance::$area::$name(kit)),
        },)*)*]
    };
}

/// All behaviours, by area: given to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_behaviours {
    ($then:ident $(, $argument:expr)?) => { $crate::$then! { [$($argument)?]
        windows:
            an_order_at_the_beginning_of_a_window_is_fetched
            an_order_in_the_last_second_of_a_window_is_fetched
            a_window_that_ends_within_a_second_holds_its_beginning
            windows_that_touch_leave_no_gap
            a_day_in_the_channels_zone_is_whole
            orders_far_from_a_window_are_left_out
            an_order_that_is_paid_late_is_found
            a_window_without_orders_is_empty
            a_window_of_days_comes_whole_and_once
            every_page_is_read_and_no_order_comes_twice
            pages_of_one_row_come_whole
            equal_times_over_a_page_border_lose_nothing
            orders_that_change_between_pages_are_not_lost
            a_cursor_that_is_used_again_gives_the_same_page
            a_cursor_works_after_a_restart
            a_foreign_cursor_ends
            a_row_that_cannot_be_read_spoils_only_itself;
        fields:
            texts_come_as_they_were_written
            amounts_are_exact_to_the_last_digit
            prices_are_of_one_piece_and_totals_of_all
            every_line_comes_with_its_sku_and_quantity
            times_are_the_moments_themselves
            the_raw_payload_can_be_had
            a_paid_order_is_new
            an_unpaid_order_is_not_new_until_it_is_paid
            an_order_confirmed_in_the_back_office_is_confirmed
            an_order_shipped_in_the_back_office_is_shipped
            an_order_that_arrived_is_delivered
            a_cancelled_order_is_cancelled
            a_cancel_request_shows
            a_cancel_request_taken_back_shows_no_more
            a_later_read_supersedes_an_earlier_one
            orders_are_read_each_for_itself
            orders_in_every_state_can_be_read;
        confirm:
            a_confirmation_reaches_the_channel
            confirming_twice_confirms_once
            an_order_confirmed_elsewhere_is_no_error
            a_refused_confirmation_blocks_no_other
            a_refused_confirmation_with_ship_date_blocks_no_other
            the_ship_date_is_the_day_that_was_asked_for
            a_ship_date_sent_twice_stays_the_same
            no_ship_date_is_made_up
            a_full_batch_is_confirmed_each_for_itself;
        dispatch:
            a_parcel_reaches_the_channel
            a_parcel_reported_twice_leaves_once
            a_part_of_an_order_leaves_as_a_part
            the_rest_follows_in_a_second_parcel
            a_refused_parcel_blocks_no_other
            a_parcel_without_a_number_is_refused
            a_missing_hand_over_is_not_guessed
            the_hand_over_reaches_the_channel
            the_mail_to_the_buyer_is_as_chosen
            a_corrected_tracking_number_reaches_the_channel
            a_cancelled_order_is_not_shipped;
        stock:
            quantities_are_absolute
            an_options_quantity_is_set_alone
            a_quantity_is_set_without_the_list
            a_quantity_changes_nothing_else
            an_unknown_listing_blocks_no_other
            the_quantities_read_are_those_shown
            every_listing_is_listed_once
            an_order_names_the_listing_as_the_list_does;
        cancels:
            open_cancel_requests_are_listed
            an_accepted_request_cancels
            nothing_is_accepted_without_a_request
            a_refused_request_leaves_the_order
            a_seller_cancels
            what_has_left_is_not_cancelled
            a_signed_webhook_names_its_order
            a_tampered_webhook_is_refused;
        credentials:
            wrong_credentials_are_told
            expired_credentials_are_told
            the_connection_test_names_every_capability
            wrong_new_credentials_leave_the_old_ones
            new_credentials_are_used_at_once
            the_parts_of_the_credentials_are_named
            the_expiry_is_read_or_not_known
            the_channels_description_holds_together;
        ladder:
            bad_answers_to_the_connection_test
            bad_answers_to_fetching_orders
            bad_answers_to_reading_an_order
            bad_answers_to_confirming
            bad_answers_to_confirming_with_a_ship_date
            bad_answers_to_setting_a_ship_date
            bad_answers_to_reporting_a_parcel
            bad_answers_to_correcting_a_tracking_number
            bad_answers_to_setting_a_quantity
            bad_answers_to_reading_a_quantity
            bad_answers_to_listing_listings
            bad_answers_to_listing_cancel_requests
            bad_answers_to_deciding_a_cancellation
            bad_answers_to_reading_the_expiry
            bad_answers_to_replacing_credentials
            a_lost_answer_to_confirming
            a_lost_answer_to_confirming_with_a_ship_date
            a_lost_answer_to_setting_a_ship_date
            a_lost_answer_to_reporting_a_parcel
            a_lost_answer_to_correcting_a_tracking_number
            a_lost_answer_to_setting_a_quantity
            a_lost_answer_to_deciding_a_cancellation
            no_call_waits_beyond_its_budget;
        trouble:
            an_answer_without_an_end_is_an_error
            an_answer_that_stalls_is_given_up
            a_caller_may_go_away_at_any_request
            a_hundred_calls_at_once_get_their_own_answers
            many_confirmations_at_once_confirm_once
            an_empty_batch_sends_nothing;
        privacy:
            logs_hold_no_secrets_and_no_personal_data
            debug_shows_no_secrets_and_no_personal_data
            results_and_errors_show_no_secrets_and_no_personal_data
            a_secret_in_the_channels_error_text_is_dropped
            errors_hold_no_addresses;
    } };
}
