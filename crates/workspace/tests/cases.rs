//! Cases that were reported with `turnlens report`. Each holds the answer that is right: where the engine gave another,
//! `answer` was set right by hand.

use std::fs;
use std::path::Path;

use workspace::Case;

#[test]
fn reported_cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut read = 0;
    for entry in fs::read_dir(&folder).expect("the cases") {
        let path = entry.expect("a case").path();
        let case = Case::from_json(&fs::read_to_string(&path).expect("a case"))
            .unwrap_or_else(|why| panic!("{} is no case: {why}", path.display()));
        assert_eq!(case.replay().as_ref(), case.answer(), "{}", path.display());
        read += 1;
    }
    assert!(read > 0, "no cases in {}", folder.display());
}
