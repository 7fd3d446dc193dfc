//! The OpenPGP signature over a release's SHA256SUMS.
//!
//! A signature counts by its own time: a key that has expired since does not spoil what it signed before, and a signature made
//! after its key's end is refused. (Terraform ignores the expiry of registry keys, OpenTofu warns; a release cannot be signed
//! again by a key that is gone, so its own time is the only one that means anything.)

use std::time::SystemTime;

use pgp::composed::{Deserializable as _, DetachedSignature, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::{Duration, KeyDetails, Timestamp};
use thiserror::Error;

/// Whose signature it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The fingerprint of the primary key, in upper-case hexadecimal digits.
    pub fingerprint: String,
}

/// No key of the registry vouches for the document.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The signature is not OpenPGP, or of an unknown kind.
    #[error("the signature cannot be read: {reason}")]
    Unreadable {
        /// Why.
        reason: String,
    },
    /// A key of the registry cannot be read.
    #[error("a signing key of the registry cannot be read: {reason}")]
    Key {
        /// Why.
        reason: String,
    },
    /// The registry lists no keys.
    #[error("the registry lists no signing keys")]
    NoKeys,
    /// The signature is by none of the registry's keys.
    #[error("the signature was made by key {issuer}, which the registry does not list")]
    ForeignKey {
        /// Who made it, as the signature says.
        issuer: String,
    },
    /// A listed key is named, but the document or the signature was changed.
    #[error("the signature does not match the document")]
    Mismatch,
    /// The signature was made outside of its key's life.
    #[error("the signature was made at {}, {why}", humantime::format_rfc3339_seconds(*signed))]
    OutsideLife {
        /// When.
        signed: SystemTime,
        /// What was wrong with the key then.
        why: &'static str,
    },
}

/// Verifies a detached signature, binary or armored, by any of the keys.
///
/// # Errors
/// When none of the keys made it, in its life, over exactly this document.
pub(crate) fn verify(
    document: &[u8],
    signature: &[u8],
    armored_keys: &[String],
) -> Result<Signer, SignatureError> {
    let (signature, _) = DetachedSignature::from_reader_single(signature).map_err(|error| {
        SignatureError::Unreadable {
            reason: error.to_string(),
        }
    })?;
    let signature = signature.signature;
    if !matches!(
        signature.typ(),
        Some(SignatureType::Binary | SignatureType::Text)
    ) {
        return Err(SignatureError::Unreadable {
            reason: "it does not sign a document".to_owned(),
        });
    }
    if !matches!(
        signature.hash_alg(),
        Some(
            HashAlgorithm::Sha224
                | HashAlgorithm::Sha256
                | HashAlgorithm::Sha384
                | HashAlgorithm::Sha512
                | HashAlgorithm::Sha3_256
                | HashAlgorithm::Sha3_512
        )
    ) {
        return Err(SignatureError::Unreadable {
            reason: "its hash algorithm is broken".to_owned(),
        });
    }
    let mut refused = None;
    let mut listed = 0_usize;
    for armored in armored_keys {
        let (keys, _) =
            SignedPublicKey::from_string_many(armored).map_err(|error| SignatureError::Key {
                reason: error.to_string(),
            })?;
        for key in keys {
            let key = key.map_err(|error| SignatureError::Key {
                reason: error.to_string(),
            })?;
            listed += 1;
            match verify_by(&key, &signature, document) {
                None => {}
                Some(Ok(())) => {
                    return Ok(Signer {
                        fingerprint: format!("{:X}", key.primary_key.fingerprint()),
                    });
                }
                Some(Err(error)) => refused = Some(error),
            }
        }
    }
    if listed == 0 {
        return Err(SignatureError::NoKeys);
    }
    let issuer = signature
        .issuer_key_id()
        .first()
        .map_or_else(|| "unknown".to_owned(), |id| id.to_string().to_uppercase());
    Err(refused.unwrap_or(SignatureError::ForeignKey { issuer }))
}

/// `None` when the signature is by another key.
fn verify_by(
    key: &SignedPublicKey,
    signature: &Signature,
    document: &[u8],
) -> Option<Result<(), SignatureError>> {
    let primary = &key.primary_key;
    if is_issuer(signature, primary) {
        if signature.verify(primary, document).is_err() {
            return Some(Err(SignatureError::Mismatch));
        }
        return Some(within_life(key, signature));
    }
    for subkey in &key.public_subkeys {
        if !is_issuer(signature, &subkey.key) {
            continue;
        }
        let binding = (subkey.signatures.iter())
            .filter(|binding| {
                binding.typ() == Some(SignatureType::SubkeyBinding)
                    && binding.key_flags().sign()
                    && binding.verify_subkey_binding(primary, &subkey.key).is_ok()
            })
            .max_by_key(|binding| binding.created());
        let Some(binding) = binding else {
            return Some(Err(SignatureError::Key {
                reason: "a subkey without a valid binding made the signature".to_owned(),
            }));
        };
        if signature.verify(&subkey.key, document).is_err() {
            return Some(Err(SignatureError::Mismatch));
        }
        let revoked = (subkey.signatures.iter()).any(|one| {
            one.typ() == Some(SignatureType::SubkeyRevocation)
                && one.verify_subkey_binding(primary, &subkey.key).is_ok()
        });
        if revoked {
            return Some(Err(outside(signature, "by a key that was revoked")));
        }
        let end = binding.key_expiration_time();
        return Some(
            in_time(signature, subkey.key.created_at(), end)
                .and_then(|()| within_life(key, signature)),
        );
    }
    None
}

fn is_issuer(signature: &Signature, key: &impl KeyDetails) -> bool {
    signature.issuer_key_id().contains(&&key.legacy_key_id())
        || signature.issuer_fingerprint().contains(&&key.fingerprint())
}

/// Whether the primary key was alive when the signature was made, by its newest valid self-signature.
fn within_life(key: &SignedPublicKey, signature: &Signature) -> Result<(), SignatureError> {
    let primary = &key.primary_key;
    let revoked =
        (key.details.revocation_signatures.iter()).any(|one| one.verify_key(primary).is_ok());
    if revoked {
        return Err(outside(signature, "by a key that was revoked"));
    }
    let certifications = key.details.users.iter().flat_map(|user| {
        (user.signatures.iter()).filter(move |one| {
            one.is_certification()
                && one
                    .verify_certification(primary, pgp::types::Tag::UserId, &user.id)
                    .is_ok()
        })
    });
    let direct =
        (key.details.direct_signatures.iter()).filter(|one| one.verify_key(primary).is_ok());
    let newest = certifications.chain(direct).max_by_key(|one| one.created());
    let Some(newest) = newest else {
        return Err(SignatureError::Key {
            reason: "it does not vouch for itself".to_owned(),
        });
    };
    in_time(
        signature,
        primary.created_at(),
        newest.key_expiration_time(),
    )
}

fn in_time(
    signature: &Signature,
    from: Timestamp,
    life: Option<Duration>,
) -> Result<(), SignatureError> {
    let signed = seconds(signature.created());
    let from = u64::from(from.as_secs());
    if signed < from {
        return Err(outside(signature, "before its key was made"));
    }
    match life.map(|life| u64::from(life.as_secs())) {
        // No end, which is also written as zero.
        None | Some(0) => Ok(()),
        Some(life) if signed <= from + life => Ok(()),
        Some(_) => Err(outside(signature, "after its key had expired")),
    }
}

fn outside(signature: &Signature, why: &'static str) -> SignatureError {
    let signed =
        SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds(signature.created()));
    SignatureError::OutsideLife { signed, why }
}

/// A signature without a time counts as made at the very beginning, so that no key was there to make it.
fn seconds(time: Option<Timestamp>) -> u64 {
    time.map_or(0, |time| u64::from(time.as_secs()))
}

#[cfg(test)]
mod tests {
    use pgp::composed::{KeyType, SecretKeyParamsBuilder, SignedSecretKey, SubkeyParamsBuilder};
    use pgp::packet::{SignatureConfig, Subpacket, SubpacketData};
    use pgp::ser::Serialize as _;
    use pgp::types::{Password, SigningKey, Tag};
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    const MADE: u32 = 1_700_000_000;
    const YEAR: u32 = 365 * 86_400;

    /// A key made at `MADE`; `signing_subkey` as HashiCorp's and GnuPG's keys have one.
    fn key(seed: u64, signing_subkey: bool) -> SignedSecretKey {
        let mut params = SecretKeyParamsBuilder::default();
        params
            .key_type(KeyType::Ed25519Legacy)
            .can_certify(true)
            .can_sign(!signing_subkey)
            .created_at(Timestamp::from_secs(MADE))
            .primary_user_id("Releases <releases@example.com>".to_owned());
        if signing_subkey {
            let subkey = SubkeyParamsBuilder::default()
                .key_type(KeyType::Ed25519Legacy)
                .can_sign(true)
                .created_at(Timestamp::from_secs(MADE))
                .build()
                .expect("a subkey");
            params.subkey(subkey);
        }
        let params = params.build().expect("a key");
        params
            .generate(StdRng::seed_from_u64(seed))
            .expect("generated")
    }

    /// The key as published, with that life.
    fn published(key: &SignedSecretKey, life: Option<u32>) -> String {
        let mut public = key.to_public_key();
        let user = &mut public.details.users[0];
        let mut config = config(&key.primary_key, SignatureType::CertPositive, MADE);
        if let Some(life) = life {
            let life = SubpacketData::KeyExpirationTime(Duration::from_secs(life));
            config
                .hashed_subpackets
                .push(Subpacket::regular(life).expect("a subpacket"));
        }
        let certification = config
            .sign_certification(
                &key.primary_key,
                &public.primary_key,
                &Password::empty(),
                Tag::UserId,
                &user.id,
            )
            .expect("signed");
        user.signatures = vec![certification];
        public
            .to_armored_string(Default::default())
            .expect("armored")
    }

    fn config(key: &impl SigningKey, kind: SignatureType, at: u32) -> SignatureConfig {
        let mut config = SignatureConfig::v4(kind, key.algorithm(), HashAlgorithm::Sha256);
        config.hashed_subpackets = vec![
            Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::from_secs(
                at,
            )))
            .expect("a subpacket"),
            Subpacket::regular(SubpacketData::IssuerFingerprint(key.fingerprint()))
                .expect("a subpacket"),
        ];
        config.unhashed_subpackets = vec![
            Subpacket::regular(SubpacketData::IssuerKeyId(key.legacy_key_id()))
                .expect("a subpacket"),
        ];
        config
    }

    fn sign(key: &impl SigningKey, document: &[u8], at: u32) -> Vec<u8> {
        let signature = config(key, SignatureType::Binary, at)
            .sign(key, &Password::empty(), document)
            .expect("signed");
        let mut bytes = Vec::new();
        DetachedSignature::new(signature)
            .to_writer(&mut bytes)
            .expect("written");
        bytes
    }

    #[test]
    fn a_signature_counts_by_its_own_time() {
        let key = key(1, false);
        let listed = [published(&key, Some(YEAR))];
        let signed = |at| sign(&key.primary_key, b"sums", at);
        let signer =
            verify(b"sums", &signed(MADE + YEAR - 1), &listed).expect("in its life, which is over");
        assert_eq!(signer.fingerprint.len(), 40);
        let late = verify(b"sums", &signed(MADE + YEAR + 1), &listed).expect_err("too late");
        assert!(
            late.to_string().ends_with("after its key had expired"),
            "{late}"
        );
        let early = verify(b"sums", &signed(MADE - 1), &listed).expect_err("too early");
        assert!(
            early.to_string().ends_with("before its key was made"),
            "{early}"
        );
        // The owner has extended the key's life since.
        let extended = [published(&key, Some(2 * YEAR))];
        assert!(verify(b"sums", &signed(MADE + YEAR + 1), &extended).is_ok());
        let endless = [published(&key, None)];
        assert!(verify(b"sums", &signed(MADE + 30 * YEAR), &endless).is_ok());
    }

    #[test]
    fn a_changed_document_and_a_foreign_key_are_refused() {
        let (ours, foreign) = (key(1, false), key(2, false));
        let listed = [published(&foreign, None), published(&ours, None)];
        let signature = sign(&ours.primary_key, b"sums", MADE + 1);
        assert!(verify(b"sums", &signature, &listed).is_ok());
        assert_eq!(
            verify(b"other sums", &signature, &listed),
            Err(SignatureError::Mismatch)
        );
        let only_foreign = verify(b"sums", &signature, &listed[..1]);
        assert!(
            matches!(only_foreign, Err(SignatureError::ForeignKey { .. })),
            "{only_foreign:?}"
        );
        assert_eq!(
            verify(b"sums", &signature, &[]),
            Err(SignatureError::NoKeys)
        );
        let unreadable = verify(b"sums", b"signed by me", &listed);
        assert!(
            matches!(unreadable, Err(SignatureError::Unreadable { .. })),
            "{unreadable:?}"
        );
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        #[test]
        fn no_change_of_a_signature_or_key_makes_another_document_good(
            changes in proptest::collection::vec((proptest::prelude::any::<u16>(), proptest::prelude::any::<u8>()), 1..4),
            is_key in proptest::prelude::any::<bool>(),
        ) {
            let ours = key(1, false);
            let mut signature = sign(&ours.primary_key, b"sums", MADE + 1);
            let mut listed = published(&ours, None).into_bytes();
            let changed = if is_key { &mut listed } else { &mut signature };
            for (at, to) in changes {
                let at = usize::from(at) % changed.len();
                changed[at] = to;
            }
            let listed = [String::from_utf8_lossy(&listed).into_owned()];
            // Some bytes mean nothing, so that this may be good.
            let _ = verify(b"sums", &signature, &listed);
            proptest::prop_assert!(verify(b"other", &signature, &listed).is_err());
        }
    }

    #[test]
    fn a_signing_subkey_counts_through_its_binding() {
        let ours = key(3, true);
        let subkey = &ours.secret_subkeys[0].key;
        let signature = sign(subkey, b"sums", MADE + 1);
        let bound = published(&ours, None);
        assert!(verify(b"sums", &signature, std::slice::from_ref(&bound)).is_ok());
        // The same subkey below a stranger's primary key: its binding is not by that key.
        let mut stolen = key(4, false).to_public_key();
        stolen.public_subkeys = ours.to_public_key().public_subkeys;
        let stolen = stolen
            .to_armored_string(Default::default())
            .expect("armored");
        let refused = verify(b"sums", &signature, &[stolen]);
        assert!(
            matches!(refused, Err(SignatureError::Key { .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn armored_signatures_and_several_keys_in_one_armor_are_read() {
        let ours = key(1, false);
        let signature = sign(&ours.primary_key, b"sums", MADE + 1);
        let (parsed, _) = DetachedSignature::from_reader_single(&signature[..]).expect("readable");
        let armored = parsed
            .to_armored_string(Default::default())
            .expect("armored");
        assert!(verify(b"sums", armored.as_bytes(), &[published(&ours, None)]).is_ok());
    }
}
