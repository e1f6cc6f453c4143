//! Secrets sought in files, byte by byte, in each form in which they may have been written down.

use std::{
    collections::BTreeSet,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use apikey::digest::{PepperSet, SecretHash};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// What is sought: any of these byte strings.
#[derive(Debug)]
pub(crate) struct Needles(BTreeSet<Vec<u8>>);

impl Needles {
    /// Secrets by the first half of their random characters: the prefix and the last four may be shown.
    pub(crate) fn secrets(secrets: &[String]) -> Self {
        let body = |secret: &String| secret.rsplit_once('_').unwrap().1.as_bytes()[..16].to_vec();
        Self::forms(secrets.iter().map(body))
    }

    /// What is stored instead of secrets, under the newest pepper of a pepper file.
    pub(crate) fn digests(peppers: &str, secrets: &[String]) -> Self {
        let peppers = PepperSet::parse(peppers).unwrap();
        let digest = |secret: &String| {
            peppers.newest().digest(&SecretHash::of(secret.as_bytes())).as_bytes().to_vec()
        };
        Self::forms(secrets.iter().map(digest))
    }

    /// The peppers of a pepper file, by their bytes.
    pub(crate) fn peppers(file: &str) -> Self {
        let peppers = file.lines().filter(|line| !line.starts_with('#'));
        let digits = peppers.map(|line| line.split_once(' ').unwrap().1);
        let byte = |digits: &str, at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        Self::forms(digits.map(|digits| (0..64).step_by(2).map(|at| byte(digits, at)).collect()))
    }

    /// User tokens, by the beginning of their signature: the rest can be read by anybody, and is said elsewhere.
    pub(crate) fn user_tokens(tokens: &[String]) -> Self {
        let proof = |token: &String| token.rsplit_once('.').unwrap().1.as_bytes()[..32].to_vec();
        Self::forms(tokens.iter().map(proof))
    }

    /// The development issuer's private key: its file's text, and its bytes.
    pub(crate) fn development_issuer(file: &str) -> Self {
        let bytes = URL_SAFE_NO_PAD.decode(file).unwrap();
        Self::forms([file.as_bytes().to_vec(), bytes].into_iter())
    }

    /// As they are, as hexadecimal digits of either case, and as numbers, which is how `Debug` shows bytes.
    fn forms(sought: impl Iterator<Item = Vec<u8>>) -> Self {
        let forms = |bytes: Vec<u8>| {
            let all = |form: fn(&u8) -> String, between| {
                bytes.iter().map(form).collect::<Vec<_>>().join(between).into_bytes()
            };
            let hex =
                [all(|byte| format!("{byte:02x}"), ""), all(|byte| format!("{byte:02X}"), "")];
            let numbers = all(u8::to_string, ", ");
            // grep goes by lines.
            let line = bytes.split(|byte| *byte == b'\n').max_by_key(|part| part.len()).unwrap();
            [line.to_vec(), numbers].into_iter().chain(hex)
        };
        Self(sought.flat_map(forms).collect())
    }

    /// The files under `folder` in which any of them is, by their path from there.
    pub(crate) fn found_under(&self, folder: &Path) -> Vec<String> {
        let mut grep = Command::new("grep")
            .args(["-r", "-l", "-a", "-F", "-f", "-", "."])
            .current_dir(folder)
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let patterns: Vec<&[u8]> = self.0.iter().map(Vec::as_slice).collect();
        grep.stdin.take().unwrap().write_all(&patterns.join(&b'\n')).unwrap();
        let output = grep.wait_with_output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "grep could not read everything");
        let files = String::from_utf8(output.stdout).unwrap();
        files.lines().map(|file| file.strip_prefix("./").unwrap().to_owned()).collect()
    }
}
