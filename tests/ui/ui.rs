//! What the compiler says of faulty declarations, word for word, and that right ones compile.
//!
//! `TRYBUILD=overwrite cargo test -p tenonet-ui-tests` writes the texts anew. One file after another:
//! `cargo test -p tenonet-ui-tests -- ui trybuild=kernel`.

#[test]
fn ui() {
    let tests = trybuild::TestCases::new();
    // With a test that passes, all are built and not only checked: faults of hand-written layers are found that late.
    tests.pass("pass/*.rs");
    tests.compile_fail("fail/*.rs");
}
