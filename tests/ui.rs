//! What the compiler says of faulty declarations, word for word, and that right ones compile.
//!
//! `TRYBUILD=overwrite cargo test --test ui` writes the texts anew. One file after another:
//! `cargo test --test ui -- ui trybuild=kernel`.

#[test]
fn ui() {
    let tests = trybuild::TestCases::new();
    // With a test that passes, all are built and not only checked: faults of hand-written layers are found that late.
    tests.pass("tests/ui/pass/*.rs");
    tests.compile_fail("tests/ui/*.rs");
}
