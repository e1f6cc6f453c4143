//! Compiles the proto files in pure Rust: nobody needs protoc.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const ROOT: &str = "../../proto";
const FILES: [&str; 3] = [
    "keyward/v1/advisor_access.proto",
    "keyward/v1/error_reason.proto",
    "keyward/v1/key_management.proto",
];

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script where to write by it")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={ROOT}");
    // Comments come along: they are the clients' documentation, through reflection too.
    let descriptors = protox::compile(FILES, [ROOT])?;
    let path = PathBuf::from(env::var("OUT_DIR")?).join("keyward.binpb");
    fs::write(path, descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        // Sorted maps: the same message always has the same bytes.
        .btree_map(".")
        // The messages that carry a secret or a digest print their names only.
        .skip_debug([
            "keyward.v1.CreateKeyResponse",
            "keyward.v1.ImportKey",
            "keyward.v1.LookupKeyRequest",
            "keyward.v1.RotateKeyResponse",
            "keyward.v1.VerifyRequest",
        ])
        .compile_fds(descriptors)?;
    Ok(())
}
