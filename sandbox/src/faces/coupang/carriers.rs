//! Carrier codes, their names, and how many digits their waybills have (sheet 4.8). Pure.

/// Waybills of a carrier that the current page lists with digits.
enum Digits {
    Of(&'static [usize]),
    Between(usize, usize),
    Any,
}

use Digits::{Any, Between, Of};

/// Own delivery: nobody tracks it.
pub(super) const DIRECT: &str = "DIRECT";

const CARRIERS: &[(&str, &str, Digits)] = &[
    ("HYUNDAI", "롯데택배", Of(&[10, 12, 13])),
    ("KGB", "로젠택배", Of(&[10, 11])),
    ("EPOST", "우체국", Of(&[13])),
    ("HANJIN", "한진택배", Of(&[10, 12])),
    ("CJGLS", "CJ 대한통운", Of(&[10, 12])),
    ("KDEXP", "경동택배", Between(8, 16)),
    (DIRECT, "업체직송", Any),
    ("ILYANG", "일양택배", Between(8, 16)),
    ("CHUNIL", "천일특송", Of(&[11])),
    ("AJOU", "아주택배", Any),
    ("CSLOGIS", "SC로지스", Any),
    ("DAESIN", "대신택배", Of(&[13])),
    ("CVS", "CVS택배", Of(&[10, 12])),
    ("HDEXP", "합동택배", Between(8, 16)),
    ("DHL", "DHL", Of(&[10, 13, 20])),
    ("UPS", "UPS", Of(&[9, 18])),
    ("KOREX", "대한통운", Of(&[10, 12])),
    ("FEDEX", "FedEx", Any),
    ("EMS", "EMS", Any),
];

/// The name that answers show in place of the code. None for an unknown code.
pub(super) fn name(code: &str) -> Option<&'static str> {
    CARRIERS.iter().find(|(known, ..)| *known == code).map(|(_, name, _)| *name)
}

/// Whether a waybill can be one of this carrier.
pub(super) fn fits(code: &str, waybill: &str) -> bool {
    let length = waybill.len();
    let digits = length > 0 && waybill.bytes().all(|byte| byte.is_ascii_digit());
    digits
        && CARRIERS.iter().find(|(known, ..)| *known == code).is_some_and(|(_, _, digits)| match digits {
            Of(lengths) => lengths.contains(&length),
            Between(least, most) => (*least..=*most).contains(&length),
            Any => true,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waybills_have_their_carriers_length() {
        for (code, waybill, good) in [
            ("CJGLS", "680405450931", true),
            ("CJGLS", "68040545093", false),
            ("KDEXP", "20180731040123", true),
            ("KDEXP", "1234567", false),
            ("DIRECT", "1", true),
            ("DIRECT", "", false),
            ("EPOST", "123456789012X", false),
            ("NOBODY", "1234567890", false),
        ] {
            assert_eq!(fits(code, waybill), good, "{code} {waybill}");
        }
    }
}
