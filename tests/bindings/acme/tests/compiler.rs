//! The compiler's errors for mistakes in a stack; `TRYBUILD=overwrite` accepts new ones.

#[test]
fn the_compiler_names_the_mistake_in_a_stack() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}
