//! The `keyward` program.

use std::{process::ExitCode, sync::Arc};

use clap::Parser as _;
use keyward_server::{
    callers::development_issuer::Person,
    commands,
    config::{self, Cli, Command},
    serve, telemetry,
};
use ring::rand::SystemRandom;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = telemetry::start(&cli.config) {
        return fail(&format!("--log: {error}"));
    }
    // Told when all tasks have ended: the last line says why.
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{error:#}")),
    }
}

#[tokio::main]
async fn run(Cli { command, config }: Cli) -> anyhow::Result<()> {
    let command = command.unwrap_or(Command::Serve);
    if let Command::Import(import) = command {
        // A client: of the configuration it is concerned by nothing else.
        return import.run(config::service_key(), config.insecure).await;
    }
    config.check().map_err(anyhow::Error::msg)?;
    #[expect(clippy::disallowed_methods, reason = "the one source of randomness is made here")]
    let random = Arc::new(SystemRandom::new());
    match command {
        Command::Serve => serve::run(config, random).await,
        Command::Import(_) => Ok(()),
        Command::Peppers(what) => commands::peppers::run(&config, what, &*random).await,
        Command::Migrate(what) => commands::migrate(&config, what, &*random).await,
        Command::OperatorKey { name } => commands::operator_key(&config, &name, &*random).await,
        Command::UserToken { sub, role, business } => {
            commands::user_token(&config, &Person { subject: sub, role, business })
        }
    }
}

#[expect(clippy::print_stderr, reason = "why the program ends")]
fn fail(why: &str) -> ExitCode {
    eprintln!("keyward: {why}");
    ExitCode::FAILURE
}
