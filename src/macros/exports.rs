//! The implementation of `Exports` for a struct.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Attribute, Data, DeriveInput, Error, Field, Fields, LitStr, Path, Result, parse_quote};

/// One field of the struct.
struct Exported<'a> {
    field: &'a Field,
    name: String,
}

/// The implementation.
///
/// # Errors
/// When it is no struct with named fields, or an attribute is wrong.
pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(not_a_struct(input));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(not_a_struct(input));
    };
    let core = core_path(&input.attrs)?;
    let exported = fields.named.iter().map(Exported::of);
    let exported = exported.collect::<Result<Vec<_>>>()?;
    check_names(&exported)?;

    let published = exported.iter().map(|export| {
        let (field, name) = (&export.field.ident, &export.name);
        quote_spanned! {export.field.ty.span()=> publisher.export(#name, self.#field); }
    });
    let referred = exported.iter().map(|export| {
        let (field, name) = (&export.field.ident, &export.name);
        quote_spanned! {export.field.ty.span()=> #field: producer.export(#name), }
    });
    let (name, generics) = (&input.ident, &input.generics);
    let (parameters, arguments, bounds) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #parameters #core::Exports for #name #arguments #bounds {
            fn publish(self, publisher: &mut #core::Publisher<'_>) {
                #(#published)*
                let _ = publisher;
            }

            fn refer(producer: &mut #core::ProducerExports) -> Self {
                let _ = &producer;
                Self { #(#referred)* }
            }
        }
    })
}

fn not_a_struct(input: &DeriveInput) -> Error {
    let wanted = "exports are a struct with named fields, each an `Output`";
    Error::new(input.ident.span(), wanted)
}

/// Where terrane's core is: behind the facade, unless the struct says otherwise.
fn core_path(attributes: &[Attribute]) -> Result<Path> {
    let mut path = parse_quote!(::terrane::bindings);
    for attribute in exports_of(attributes) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("a struct of exports takes `crate = \"path\"` alone"));
            }
            path = meta.value()?.parse::<LitStr>()?.parse()?;
            Ok(())
        })?;
    }
    Ok(path)
}

fn exports_of(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    let is_ours = |attribute: &&Attribute| attribute.path().is_ident("exports");
    attributes.iter().filter(is_ours)
}

impl<'a> Exported<'a> {
    fn of(field: &'a Field) -> Result<Self> {
        let ident = field.ident.as_ref().expect("invariant: fields are named");
        // A raw identifier is exported without its mark.
        let mut name = ident.to_string().trim_start_matches("r#").to_owned();
        for attribute in exports_of(&field.attrs) {
            attribute.parse_nested_meta(|meta| {
                if !meta.path.is_ident("name") {
                    return Err(meta.error("a field of exports takes `name = \"…\"` alone"));
                }
                let text: LitStr = meta.value()?.parse()?;
                name = text.value();
                match is_name(&name) {
                    true => Ok(()),
                    false => Err(Error::new(
                        text.span(),
                        "not the name of an export: letters, digits, `_` and `-`, not first a digit",
                    )),
                }
            })?;
        }
        Ok(Self { field, name })
    }
}

/// Whether addresses and parsers take it, as `Stack::export` asks.
fn is_name(name: &str) -> bool {
    let first = |c: char| c.is_alphabetic() || c == '_';
    name.starts_with(first)
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn check_names(exported: &[Exported<'_>]) -> Result<()> {
    for (place, export) in exported.iter().enumerate() {
        if exported[..place]
            .iter()
            .any(|other| other.name == export.name)
        {
            let twice = format!("`{}` is exported twice", export.name);
            return Err(Error::new(export.field.span(), twice));
        }
    }
    Ok(())
}
