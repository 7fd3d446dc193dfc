//! A provider as a process: started, shaken hands with, listened to, and ended.
//!
//! Life of a plugin: [`Plugin::start`] spawns the binary with only the environment it needs, reads the handshake line, connects
//! (with mutual TLS over a socket in a private directory) and drains its outputs; calls go over its [`Channel`]; [`Plugin::stop`]
//! asks it to shut down, waits two seconds and kills it. Dropping a plugin kills it at once, and so does the death of our own
//! process (see [`launcher`]).

mod channel;
mod handshake;
pub mod launcher;
mod process;
mod reattach;
mod tls;
mod words;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::uri::PathAndQuery;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tonic::Code;

use crate::environment::Environment;
use crate::log::{LogLevel, LogSink};
use crate::plugins::ProviderCommand;
use crate::provider::StartError;
use crate::wire::{Protocol, Rpc, go_plugin, health};
use terrane_core::addr::ProviderSource;
use terrane_files::SocketFolder;

pub(crate) use channel::{Channel, MAX_MESSAGE, socket_folder};
pub(crate) use handshake::{Address, COOKIE, Handshake};
use process::{Fate, Process};
pub(crate) use reattach::Reattach;
pub(crate) use tls::TlsIdentity;
pub(crate) use words::Words;

/// How a provider process is started.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Launch {
    /// The binary itself. It outlives us when we are killed; for tests.
    Direct,
    /// This binary, whose `main` begins with [`launcher::run_if_asked`], becomes the provider after it has made sure that it dies
    /// with us.
    Reexec(PathBuf),
}

/// How long a process may take to print its handshake line.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(60);
/// A handshake line that is longer is junk.
const LONGEST_HANDSHAKE: usize = 64 << 10;
/// How long a process may take to end after the request to shut down.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(2);
/// How long to wait for the last output of a process that closed the connection.
const LAST_WORDS_LIMIT: Duration = Duration::from_secs(1);

/// A running plugin.
pub(crate) struct Plugin {
    channel: Channel,
    protocol: Protocol,
    words: Arc<Words>,
    /// None for one that we did not start.
    process: tokio::sync::Mutex<Option<Process>>,
    fate: Option<Fate>,
    pid: Option<u32>,
    /// Whether another program started it, so that it must be left alone.
    foreign: bool,
    /// Holds the socket.
    _directory: Option<SocketFolder>,
}

/// Everything that is needed to start plugins.
pub(crate) struct Launchpad {
    pub(crate) environment: Environment,
    pub(crate) launch: Launch,
    pub(crate) sink: Arc<dyn LogSink>,
    /// How long the handshake may take; tests shorten it.
    pub(crate) handshake_limit: Option<Duration>,
}

impl Plugin {
    /// Starts the binary of a provider.
    pub(crate) async fn start(
        pad: &Launchpad,
        source: &ProviderSource,
        provider: &ProviderCommand,
    ) -> Result<Self, StartError> {
        let binary = provider.binary.as_path();
        let name = source.to_string();
        let failed = |what: &str, error: &dyn std::fmt::Display| {
            StartError::new(format!("cannot {what} for provider {name}: {error}"))
        };
        check_binary(&name, binary)?;
        let directory = socket_folder(pad.environment.get("TMPDIR"))
            .map_err(|error| failed("make a directory for the socket", &error))?;
        let identity = match pad.environment.get("TF_DISABLE_PLUGIN_TLS") {
            Some(_) => None,
            None => Some(TlsIdentity::new().map_err(|error| failed("make a certificate", &error))?),
        };

        let command = command(pad, source, provider, &directory, identity.as_ref());
        let (mut process, streams) = Process::spawn(command, is_leashed(&pad.launch))
            .await
            .map_err(|error| failed(&format!("start {}", binary.display()), &error))?;
        let words = Words::new(name.clone(), pad.sink.clone());
        if let Some(stderr) = streams.stderr {
            tokio::spawn(words.clone().read(stderr));
        }
        let stdout = streams
            .stdout
            .ok_or_else(|| failed("read the output", &"there is none"))?;
        let mut stdout = BufReader::new(stdout);

        let limit = pad.handshake_limit.unwrap_or(HANDSHAKE_LIMIT);
        let shaken = shake_hands(&mut stdout, &process, limit).await;
        let mut refused = match shaken {
            Ok(handshake) => {
                tokio::spawn(drain(stdout, words.clone()));
                match connect(&handshake, identity).await {
                    Ok(channel) => {
                        words.note(
                            LogLevel::Debug,
                            &format!(
                                "process {} serves protocol {}",
                                process.pid(),
                                handshake.protocol.major()
                            ),
                        );
                        let plugin = Self {
                            channel,
                            protocol: handshake.protocol,
                            words,
                            fate: Some(process.fate().clone()),
                            pid: Some(process.pid()),
                            process: tokio::sync::Mutex::new(Some(process)),
                            foreign: false,
                            _directory: Some(directory),
                        };
                        plugin.listen_to_stdio();
                        return Ok(plugin);
                    }
                    Err(reason) => {
                        StartError::new(format!("cannot connect to provider {name}: {reason}"))
                    }
                }
            }
            Err(trouble) => trouble.into_error(&name),
        };
        // The process says on its standard error why, if it says it at all.
        if process
            .fate()
            .exited_within(Duration::from_millis(100))
            .await
            .is_none()
        {
            process.kill().await;
        }
        let _ = tokio::time::timeout(LAST_WORDS_LIMIT, words.complete()).await;
        let said = words.last();
        if !said.trim().is_empty() {
            if !refused.detail.is_empty() {
                refused.detail.push('\n');
            }
            refused.detail.push_str("its standard error:\n");
            refused.detail.push_str(&said);
        }
        Err(refused)
    }

    /// Connects to a plugin that somebody else started.
    pub(crate) async fn attach(
        pad: &Launchpad,
        source: &ProviderSource,
        reattach: &Reattach,
    ) -> Result<Self, StartError> {
        let channel = Channel::connect(&reattach.address, None)
            .await
            .map_err(|error| {
                StartError::new(format!(
                    "cannot connect to provider {source} (process {}), which TF_REATTACH_PROVIDERS names: {error}",
                    reattach.pid
                ))
            })?;
        let plugin = Self {
            channel,
            protocol: reattach.protocol,
            words: Words::new(source.to_string(), pad.sink.clone()),
            process: tokio::sync::Mutex::new(None),
            fate: None,
            pid: None,
            foreign: reattach.leave_running,
            _directory: None,
        };
        // Whatever listens there may be something else by now.
        if plugin.is_healthy().await {
            Ok(plugin)
        } else {
            Err(StartError::new(format!(
                "process {} of provider {source}, which TF_REATTACH_PROVIDERS names, is not a healthy plugin",
                reattach.pid
            )))
        }
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// The process; `None` where it is somebody else's.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Whether the process has not ended, as far as is known here.
    pub(crate) fn is_running(&self) -> bool {
        self.fate.as_ref().is_none_or(|fate| fate.exit().is_none())
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Where its log goes, also after its end.
    pub(crate) fn words(&self) -> Arc<Words> {
        self.words.clone()
    }

    /// Says something about the process in its log.
    pub(crate) fn note(&self, level: LogLevel, message: &str) {
        self.words.note(level, message);
    }

    /// Tells how long a call took that began then.
    pub(crate) fn called(&self, rpc: Rpc, began: Instant, is_lost: bool) {
        self.words.called(rpc, began, is_lost);
    }

    /// Asks whether it is alive and well.
    pub(crate) async fn is_healthy(&self) -> bool {
        let request = health::HealthCheckRequest {
            service: "plugin".to_owned(),
        };
        let path = PathAndQuery::from_static("/grpc.health.v1.Health/Check");
        let answer: Result<health::HealthCheckResponse, _> =
            self.channel.unary(path, request).await;
        answer.is_ok_and(|answer| {
            answer.status() == health::health_check_response::ServingStatus::Serving
        })
    }

    /// The exit status and last output of the process, for a call without a response.
    pub(crate) async fn last_words(&self) -> String {
        let exit = match &self.fate {
            Some(fate) => match fate.exited_within(LAST_WORDS_LIMIT).await {
                Some(exit) => {
                    let _ = tokio::time::timeout(LAST_WORDS_LIMIT, self.words.complete()).await;
                    format!("the process ended with {exit}")
                }
                None => "the process still runs but closed the connection".to_owned(),
            },
            None => "it is a process that we did not start".to_owned(),
        };
        let said = self.words.last();
        if said.trim().is_empty() {
            exit
        } else {
            format!("{exit}\n{said}")
        }
    }

    /// Graceful shutdown, then two seconds, then SIGKILL. Safe to call twice.
    pub(crate) async fn stop(&self) {
        if self.foreign {
            return;
        }
        let path = PathAndQuery::from_static("/plugin.GRPCController/Shutdown");
        let ask = self
            .channel
            .unary::<_, go_plugin::Empty>(path, go_plugin::Empty {});
        let mut process = self.process.lock().await;
        if self.fate.as_ref().is_none_or(|fate| fate.exit().is_none()) {
            // A process that ends while it answers breaks the connection; it was asked to end.
            let _ = tokio::time::timeout(SHUTDOWN_LIMIT, ask).await;
        }
        let Some(mut process) = process.take() else {
            return;
        };
        if process.fate().exited_within(SHUTDOWN_LIMIT).await.is_none() {
            self.words
                .note(LogLevel::Warn, "did not shut down within 2 s and is killed");
            process.kill().await;
        }
    }

    /// Opens the stream of the process's output after the handshake: unread, it may block the process.
    fn listen_to_stdio(&self) {
        let (channel, words) = (self.channel.clone(), self.words.clone());
        tokio::spawn(async move {
            let path = PathAndQuery::from_static("/plugin.GRPCStdio/StreamStdio");
            let Ok(mut stream) = channel.stream::<_, go_plugin::StdioData>(path, ()).await else {
                // Servers of other languages have no such service.
                return;
            };
            drop(channel);
            while let Ok(Some(data)) = stream.message().await {
                words.printed(&data.data);
            }
        });
    }
}

fn check_binary(name: &str, binary: &Path) -> Result<(), StartError> {
    let problem = match std::fs::metadata(binary) {
        Ok(metadata) if metadata.is_file() => return Ok(()),
        Ok(_) => "it is not a file".to_owned(),
        Err(error) => error.to_string(),
    };
    let mut error = StartError::new(format!("cannot find the binary of provider {name}"));
    error.detail = format!("{}: {problem}", binary.display());
    Err(error)
}

/// Whether a launcher stays beside the provider, and watches a pipe.
fn is_leashed(launch: &Launch) -> bool {
    matches!(launch, Launch::Reexec(_)) && terrane_host::is_portable()
}

fn command(
    pad: &Launchpad,
    source: &ProviderSource,
    provider: &ProviderCommand,
    directory: &SocketFolder,
    identity: Option<&TlsIdentity>,
) -> Command {
    let mut command = match &pad.launch {
        Launch::Direct => Command::new(&provider.binary),
        Launch::Reexec(ourselves) => {
            let mut command = Command::new(ourselves);
            command.args(launcher::arguments(provider.binary.as_os_str()));
            command
        }
    };
    command
        .args(&provider.arguments)
        .env_clear()
        .envs(log_levels(pad.sink.level(), source))
        .envs(pad.environment.for_provider(source))
        .envs(provider.vars.iter().map(|(name, value)| (name, value)))
        .env(COOKIE.0, COOKIE.1)
        .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
        .env("PLUGIN_MIN_PORT", "10000")
        .env("PLUGIN_MAX_PORT", "25000")
        .env("PLUGIN_UNIX_SOCKET_DIR", directory.path())
        .stdin(match is_leashed(&pad.launch) {
            true => Stdio::piped(),
            false => Stdio::null(),
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A Ctrl-C at the terminal is for us; the provider hears of it by `Stop`.
        .process_group(0);
    if let Some(identity) = identity {
        command.env("PLUGIN_CLIENT_CERT", &identity.pem);
    }
    command
}

/// The levels at which HashiCorp's libraries log. Left alone they write every step of every call (some 16 lines a call, most of
/// their CPU) and leave it to the engine to drop it; variables that the user sets win. Errors are always requested: they
/// may be the last words of a process.
fn log_levels(least: LogLevel, source: &ProviderSource) -> [(String, &'static str); 2] {
    let level = match least {
        LogLevel::Trace => "TRACE",
        LogLevel::Debug => "DEBUG",
        LogLevel::Info => "INFO",
        LogLevel::Warn => "WARN",
        LogLevel::Error | LogLevel::Off => "ERROR",
    };
    let name = source.type_name.to_uppercase().replace('-', "_");
    [
        ("TF_LOG_SDK".to_owned(), level),
        (format!("TF_LOG_PROVIDER_{name}"), level),
    ]
}

async fn connect(handshake: &Handshake, identity: Option<TlsIdentity>) -> Result<Channel, String> {
    let tls = match (&handshake.certificate, identity) {
        (Some(certificate), Some(identity)) => Some(identity.client(certificate.clone())?),
        // A server that knows nothing of TLS: the socket's directory is ours alone.
        _ => None,
    };
    Channel::connect(&handshake.address, tls)
        .await
        .map_err(|error| error.to_string())
}

/// Why there is no handshake.
enum NoHandshake {
    Refused {
        refusal: handshake::HandshakeRefusal,
        read: String,
    },
    Exited {
        exit: String,
        read: String,
    },
    Late {
        limit: Duration,
        read: String,
    },
    Unreadable(std::io::Error),
}

impl NoHandshake {
    fn into_error(self, name: &str) -> StartError {
        let (summary, read) = match self {
            Self::Refused { refusal, read } => {
                (format!("provider {name} {}", refusal.summary()), read)
            }
            Self::Exited { exit, read } => (
                format!("provider {name} ended during the handshake ({exit})"),
                read,
            ),
            Self::Late { limit, read } => (
                format!(
                    "provider {name} did not finish the handshake within {} s",
                    limit.as_secs_f32()
                ),
                read,
            ),
            Self::Unreadable(error) => {
                return StartError::new(format!(
                    "cannot read the output of provider {name}: {error}"
                ));
            }
        };
        let mut error = StartError::new(summary);
        if !read.trim().is_empty() {
            error.detail = format!("its standard output: {}", read.trim_end());
        }
        error
    }
}

/// Reads the one line that the process prints.
async fn shake_hands(
    stdout: &mut (impl tokio::io::AsyncBufRead + Unpin),
    process: &Process,
    limit: Duration,
) -> Result<Handshake, NoHandshake> {
    let mut line = Vec::new();
    let mut bounded = stdout.take(LONGEST_HANDSHAKE as u64);
    let read = tokio::time::timeout(limit, bounded.read_until(b'\n', &mut line)).await;
    let shown = |line: &[u8]| String::from_utf8_lossy(line).chars().take(400).collect();
    match read {
        Err(_) => Err(NoHandshake::Late {
            limit,
            read: shown(&line),
        }),
        Ok(Err(error)) => Err(NoHandshake::Unreadable(error)),
        Ok(Ok(_)) => {
            if !line.ends_with(b"\n") && line.len() < LONGEST_HANDSHAKE {
                // It closed its output. Nearly always it has ended.
                return Err(match process.fate().exited_within(LAST_WORDS_LIMIT).await {
                    Some(exit) => NoHandshake::Exited {
                        exit,
                        read: shown(&line),
                    },
                    None => NoHandshake::Refused {
                        refusal: handshake::HandshakeRefusal::NotAHandshake,
                        read: shown(&line),
                    },
                });
            }
            let text = String::from_utf8_lossy(&line);
            Handshake::parse(&text).map_err(|refusal| NoHandshake::Refused {
                refusal,
                read: shown(&line),
            })
        }
    }
}

/// Reads what should not be there: a full pipe would block the process.
async fn drain(mut stdout: impl AsyncRead + Unpin, words: Arc<Words>) {
    let mut buffer = [0; 4096];
    while let Ok(count) = stdout.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        words.printed(&buffer[..count]);
    }
}

/// Whether a status means that the process is gone or closed the connection.
pub(crate) fn is_gone(status: &tonic::Status) -> bool {
    status.code() == Code::Unavailable
}
