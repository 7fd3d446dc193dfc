//! `preview`: plan and show. Writes no state, and takes no lock unless it is asked to.

use terrane_core::{Diagnostic, Diagnostics, Severity};
use terrane_deploy::{KeptCache, Rehearsed, make_plan, policies, rehearse};
use terrane_engine::{PlanOptions, RefreshPolicy};
use terrane_state::model::Lineage;
use terrane_state::{Clock as _, Operation, Recorder as _, SystemClock};

use crate::args::{Parallelism, Preview};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::signals::{NOTHING_CHANGED, Signals};
use crate::view::{PlanView as _, PlanViews, Secrets, ShownPlan};
use crate::workflow::plan::{Machine, check, say_recovered};
use crate::workflow::{advice, approval, cost, saved, unresolved};

pub(super) async fn run(session: &Session<'_>, arguments: Preview) -> Result<Exit, CommandError> {
    let views = session.plan_views(&arguments.guard.files);
    let done = plan_and_show(session, arguments, &views).await;
    if let Err(error) = &done {
        let why = session.readable().diagnostics(&error.diagnostics);
        // The failure itself is what a person has to know; it is on stderr in any case.
        let _ = views.no_plan(&why);
    }
    done
}

async fn plan_and_show(
    session: &Session<'_>,
    arguments: Preview,
    views: &PlanViews,
) -> Result<Exit, CommandError> {
    let Preview {
        planning,
        guard,
        parallelism: Parallelism { parallelism },
        pricing,
        details,
        destroy,
        out,
        lock,
        detailed_exitcode,
        show_secrets,
    } = arguments;
    if let Some(file) = &out {
        saved::check_target(file)?;
    }
    planning.check()?;
    let prices = cost::read(&pricing)?;
    let flags = planning.given();
    let approval = approval::offered(session, planning.verb(destroy), &flags);
    let program = session.program().await?;
    let providers = session.providers(&program).await?;
    let held = match lock {
        true => Some(session.open(Operation::Plan).await?),
        false => None,
    };
    let (mut state, recovered) = match &held {
        Some((run, recovered)) => (run.state(), recovered.clone()),
        None => session.look().await?,
    };
    if state.serial == 0 {
        // A state that was never written has a lineage only while a run holds it; a saved plan must not rest on that.
        state.lineage = Lineage::default();
    }
    say_recovered(session, &recovered);
    let feed = session.planning_feed();
    let mut options = PlanOptions {
        unread: recovered.unread,
        ..planning.options(destroy)
    };
    let machine = Machine::default();
    let cache = match options.refresh == RefreshPolicy::Changed {
        true => KeptCache::of(session.backend().await?, true).await,
        false => None,
    };
    let engine = machine.engine(&providers, &feed, parallelism, session);
    let engine = KeptCache::known_to(engine, cache.as_ref());
    let signals = Signals::stopping(engine.stopper(), session.streams.clone());
    let mut is_partial = false;
    let planned = {
        let _ticking = feed.ticking();
        let planning = async {
            let Rehearsed {
                recovered,
                state,
                running,
            } = rehearse(&engine, &program, state, recovered.open, async |values| {
                session.redeclared(&program, values).await
            })
            .await;
            feed.pause();
            session.say(&unresolved::found(&running, Severity::Warning));
            session.say(&recovered.diagnostics);
            session.note(&unresolved::rehearsed_text(&recovered));
            let unresolved =
                unresolved::remaining(session, &program, &recovered, Severity::Warning);
            session.say(&unresolved);
            options.blocked = recovered.blocked();
            is_partial = !recovered.remaining.is_empty();
            let cancellation = signals.cancellation();
            let redeclare = async |values| session.redeclared(&program, values).await;
            make_plan(&engine, cancellation, &program, &state, &options, redeclare).await
        };
        match &held {
            None => planning.await,
            Some((run, _)) => tokio::select! {
                planned = planning => planned,
                lost = run.keep_alive() => Err(run_error(&lost.into())),
            },
        }
    };
    feed.pause();
    let planned = planned.map(|(more, plan)| (more.unwrap_or(program), plan));
    let callers = match &planned {
        Ok((program, plan)) if out.is_some() => engine.callers(program, plan).await,
        Ok((program, plan)) => Ok(terrane_deploy::known_callers(&engine, program, plan).await),
        Err(_) => Ok(Vec::new()),
    };
    let contents = match &planned {
        Ok((program, plan)) => engine.contents(program, plan).await,
        Err(_) => Vec::new(),
    };
    engine.close().await;
    if let (Ok(_), Some(cache)) = (&planned, &cache) {
        cache.keep(&engine).await;
    }
    if let Some((run, _)) = held {
        run.close().await.map_err(|error| run_error(&error))?;
    }
    let (program, plan) = planned?;

    session.say(&plan.diagnostics);
    let advice = advice::on_preview(&plan, &program, &contents);
    let made_at = SystemClock::default().now();
    let callers = callers.unwrap_or_else(|error| {
        session.say(&unknown_callers(error));
        Vec::new()
    });
    let place = session.place(&program, &providers, callers.clone()).await?;
    let policies = policies::review(&plan, &program, &session.redactor);
    let cost = prices.map(|prices| prices.estimate(session, &plan, &program));
    let stuck = plan.stuck(None).map_or(Ok(()), |stuck| Err(stuck.into()));
    let refused = check(&plan, &guard, &policies, NOTHING_CHANGED)
        .and(stuck)
        .err();
    let saved = match (&out, &refused) {
        (Some(file), None) => {
            let origin = saved::origin(session, &program, &providers, callers, made_at, flags);
            Some(saved::write(session, file, &plan, origin.await?).await?)
        }
        _ => None,
    };
    let mut diagnostics = plan.diagnostics.clone();
    diagnostics.extend(advice.clone());
    if let Some(error) = &refused {
        diagnostics.extend(error.diagnostics.clone());
    }
    views.plan(&ShownPlan {
        plan: &plan,
        program: &program,
        made_at,
        secrets: Secrets::shown(show_secrets),
        is_partial,
        policies: &policies,
        cost: cost.as_ref(),
        place: &place,
        details: details.into(),
        approval: &approval,
        saved: saved.as_ref(),
        diagnostics: &session.readable().diagnostics(&diagnostics),
    })?;
    // Below the plan, where it is read last.
    session.say(&advice);
    if let Some(refused) = refused {
        return Err(refused);
    }
    if let Some(saved) = &saved {
        saved::say_saved(session, saved);
    }
    match detailed_exitcode && !plan.is_empty() {
        true => Ok(Exit::CHANGES),
        false => Ok(Exit::DONE),
    }
}

/// An emulator may not know its account; the plan is good without.
fn unknown_callers(why: Diagnostics) -> Diagnostics {
    let why: Vec<String> = why
        .into_iter()
        .map(|diagnostic| diagnostic.summary)
        .collect();
    Diagnostic::warning("the account of the plan is unknown")
        .detail(why.join("; "))
        .hint("applying the plan will not notice another account")
        .into()
}
