//! What the compiler says of faulty declarations, word for word, and that right ones compile.
//!
//! `TRYBUILD=overwrite cargo test -p tenonet-ui-tests` writes the texts anew. One file after another:
//! `cargo test -p tenonet-ui-tests -- ui trybuild=kernel`.

use std::fs;
use std::path::Path;

/// Puts the weight files beside the manifest that the cases are built with: there their paths begin.
fn copy_weights() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let to = target.join("tests/trybuild").join(env!("CARGO_PKG_NAME")).join("weights");
    fs::create_dir_all(&to).unwrap();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("weights")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[test]
fn ui() {
    copy_weights();
    let tests = trybuild::TestCases::new();
    // With a test that passes, all are built and not only checked: faults of hand-written layers are found that late.
    tests.pass("pass/*.rs");
    tests.compile_fail("fail/*.rs");
}
