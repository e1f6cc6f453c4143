//! The generated messages, services and clients of `keyward.v1`, and the descriptor set that
//! reflection serves. No logic and no conversions live here, and nothing else of Keyward is known.

/// Package `keyward.v1`. What each message and field means stands in the proto files' comments.
#[expect(clippy::all, reason = "generated")]
pub mod v1 {
    use std::fmt;

    tonic::include_proto!("keyward.v1");

    /// A message that carries a secret or a digest shows nothing but its name.
    macro_rules! name_only {
        ($($message:ident),*) => {$(
            impl fmt::Debug for $message {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct(stringify!($message)).finish_non_exhaustive()
                }
            }
        )*};
    }

    name_only!(CreateKeyResponse, ImportKey, LookupKeyRequest, RotateKeyResponse, VerifyRequest);
}

/// The serialized `google.protobuf.FileDescriptorSet` of the package, comments included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keyward.binpb"));
