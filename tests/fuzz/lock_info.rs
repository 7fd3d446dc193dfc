//! Descriptions of a lock's holder.

use terrane_state::LockInfo;

use crate::drive::{Target, run};
use crate::mutate::Numbers;

pub(crate) struct LockInfos;

impl Target for LockInfos {
    fn name(&self) -> &'static str {
        "lock_info"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn judge(&self, input: &[u8], _: &mut Numbers) {
        if let Ok(info) = LockInfo::parse(input) {
            info.created_at();
            let again = LockInfo::parse(info.to_json().as_bytes());
            assert_eq!(again.as_ref(), Ok(&info));
        }
    }
}

#[test]
fn lock_infos() {
    run(&LockInfos);
}
