//! What the compiler says where a stack makes a mistake; `TRYBUILD=overwrite` accepts its words.

#[test]
fn the_compiler_names_what_is_wrong_in_a_stack() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}
