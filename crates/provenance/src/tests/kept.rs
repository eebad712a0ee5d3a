//! Stories that the fuzzer found, each of which once gave a wrong name.

use super::check;
use expect_test::expect;

#[test]
fn none_yet() {
    check("1 new abc", "abc", expect!["1 1 1"]);
}
