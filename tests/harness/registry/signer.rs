//! Publishers: OpenPGP keys that sign releases at any time, in their life or out of it.

use pgp::composed::{DetachedSignature, KeyType, SecretKeyParamsBuilder, SignedSecretKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{KeyFlags, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{Duration, KeyDetails as _, Password, Tag, Timestamp};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// When every key is made: 2023-11-14T22:13:20Z.
const MADE: u32 = 1_700_000_000;

/// A publisher's key.
pub struct Signer {
    key: SignedSecretKey,
    life: Option<u32>,
}

impl Signer {
    /// A year of a key's life, in seconds.
    pub const YEAR: u32 = 365 * 86_400;

    /// A key without an end; the same for the same number.
    ///
    /// # Panics
    /// Never.
    pub fn new(seed: u64) -> Self {
        let params = SecretKeyParamsBuilder::default()
            .key_type(KeyType::Ed25519Legacy)
            .can_certify(true)
            .can_sign(true)
            .created_at(Timestamp::from_secs(MADE))
            .primary_user_id(format!("Publisher {seed} <releases@example.com>"))
            .build();
        let key = params.expect("a key").generate(StdRng::seed_from_u64(seed));
        Self {
            key: key.expect("generated"),
            life: None,
        }
    }

    /// The same key, which expires so many seconds after it was made.
    #[must_use]
    pub fn living(mut self, seconds: u32) -> Self {
        self.life = Some(seconds);
        self
    }

    /// The public key in ASCII armour.
    ///
    /// # Panics
    /// Never.
    pub fn published(&self) -> String {
        let mut public = self.key.to_public_key();
        let user = &mut public.details.users[0];
        let mut config = self.config(SignatureType::CertPositive, 0);
        // Other implementations look for a key that says it may sign.
        let mut flags = KeyFlags::default();
        flags.set_certify(true);
        flags.set_sign(true);
        let flags = Subpacket::regular(SubpacketData::KeyFlags(flags)).expect("a subpacket");
        config.hashed_subpackets.push(flags);
        if let Some(life) = self.life {
            let life = SubpacketData::KeyExpirationTime(Duration::from_secs(life));
            let life = Subpacket::regular(life).expect("a subpacket");
            config.hashed_subpackets.push(life);
        }
        let certification = config.sign_certification(
            &self.key.primary_key,
            &public.primary_key,
            &Password::empty(),
            Tag::UserId,
            &user.id,
        );
        user.signatures = vec![certification.expect("signed")];
        public
            .to_armored_string(Default::default())
            .expect("armored")
    }

    /// A detached signature, made so many seconds after the key.
    ///
    /// # Panics
    /// Never.
    pub fn sign(&self, document: &[u8], after: u32) -> Vec<u8> {
        let signature = self.config(SignatureType::Binary, after).sign(
            &self.key.primary_key,
            &Password::empty(),
            document,
        );
        let mut bytes = Vec::new();
        DetachedSignature::new(signature.expect("signed"))
            .to_writer(&mut bytes)
            .expect("written");
        bytes
    }

    fn config(&self, kind: SignatureType, after: u32) -> SignatureConfig {
        let key = &self.key.primary_key;
        let hashed = [
            SubpacketData::SignatureCreationTime(Timestamp::from_secs(MADE + after)),
            SubpacketData::IssuerFingerprint(key.fingerprint()),
        ];
        let unhashed = [SubpacketData::IssuerKeyId(key.legacy_key_id())];
        let regular = |data| Subpacket::regular(data).expect("a subpacket");
        let mut config = SignatureConfig::v4(kind, key.algorithm(), HashAlgorithm::Sha256);
        config.hashed_subpackets = hashed.map(regular).into();
        config.unhashed_subpackets = unhashed.map(regular).into();
        config
    }
}
