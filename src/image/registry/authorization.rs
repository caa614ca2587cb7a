//! Requests with what a registry wants to see before it answers.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::header::AUTHORIZATION;
use ureq::http::{HeaderValue, Request, StatusCode};

use super::challenge::{self, Challenge};
use super::credentials::{self, Credential, CredentialFiles, CredentialSource};
use super::endpoint::Endpoint;
use super::error::Result;
use super::http::{Http, Response};
use super::login::basic;
use super::subject::Subject;
use super::token::{self, TokenServer};
use crate::sys;

/// How long before it ends a token is not used any more.
const MARGIN: Duration = Duration::from_secs(5);

/// What a request to a repository is authorized by.
#[derive(Clone)]
struct Grant {
    value: HeaderValue,
    /// When it ends; `None` of a password, which does not.
    ends: Option<Instant>,
    source: CredentialSource,
}

/// Where credentials come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Identity<'a> {
    Files(&'a CredentialFiles),
    Given(&'a Credential),
}

/// What was granted so far, by registry and repository.
#[derive(Default)]
pub(super) struct Grants {
    known: Mutex<HashMap<(String, String), Grant>>,
    /// Held while something is granted, so that threads that are refused together ask once.
    asking: Mutex<()>,
}

impl Grants {
    /// Sends `request` to `endpoint`, authenticated where that is asked for, once more if what was
    /// granted before is not accepted any more.
    ///
    /// # Errors
    /// Also any answer whose status is not a success.
    pub(super) fn send(
        &self,
        http: &Http,
        identity: Identity<'_>,
        endpoint: &Endpoint,
        subject: Subject<'_>,
        request: &Request<()>,
    ) -> Result<Response> {
        let mut grant = self.known(endpoint);
        let mut is_fresh = false;
        loop {
            let mut request = request.clone();
            if let Some(grant) = &grant {
                request.headers_mut().insert(AUTHORIZATION, grant.value.clone());
            }
            let response = http.send(subject, request)?;
            if response.status.is_success() {
                return Ok(response);
            }
            let may_answer = !is_fresh && !response.is_from_elsewhere;
            if response.status == StatusCode::UNAUTHORIZED && may_answer {
                let challenge = challenge::best(&response.headers);
                let refused = grant.as_ref().map(|grant| &grant.value);
                if let Some(granted) =
                    self.renew(http, identity, endpoint, subject, challenge, refused)?
                {
                    response.discard();
                    grant = Some(granted);
                    is_fresh = true;
                    continue;
                }
            }
            let source = grant.map(|grant| grant.source).unwrap_or_default();
            return Err(subject.refused(response, &source));
        }
    }

    fn known(&self, endpoint: &Endpoint) -> Option<Grant> {
        let key = (endpoint.registry.clone(), endpoint.repository.clone());
        let is_alive = |grant: &&Grant| grant.ends.is_none_or(|end| end > sys::clock::monotonic());
        locked(&self.known).get(&key).filter(is_alive).cloned()
    }

    /// What answers `challenge`; `None` when there is nothing to answer it with. What another
    /// thread got meanwhile is as good, unless it is what was `refused`.
    fn renew(
        &self,
        http: &Http,
        identity: Identity<'_>,
        endpoint: &Endpoint,
        subject: Subject<'_>,
        challenge: Option<Challenge>,
        refused: Option<&HeaderValue>,
    ) -> Result<Option<Grant>> {
        let Some(challenge) = challenge else { return Ok(None) };
        let _turn = locked(&self.asking);
        if let Some(grant) = self.known(endpoint).filter(|grant| Some(&grant.value) != refused) {
            return Ok(Some(grant));
        }
        let grant = authenticate(http, identity, endpoint, subject, &challenge)?;
        if let Some(grant) = &grant {
            let key = (endpoint.registry.clone(), endpoint.repository.clone());
            locked(&self.known).insert(key, grant.clone());
        }
        Ok(grant)
    }
}

fn authenticate(
    http: &Http,
    identity: Identity<'_>,
    endpoint: &Endpoint,
    subject: Subject<'_>,
    challenge: &Challenge,
) -> Result<Option<Grant>> {
    let (credential, source) = match identity {
        Identity::Given(credential) => (Some(credential.clone()), CredentialSource::Given),
        Identity::Files(files) => {
            match credentials::look_up(files, &endpoint.registry, &endpoint.repository)? {
                Some((credential, file)) => (Some(credential), CredentialSource::File(file)),
                None => (None, CredentialSource::None),
            }
        }
    };
    match (challenge, credential) {
        (Challenge::Basic, Some(Credential::Login(login))) => {
            let value = header_value(subject, &format!("Basic {}", basic(&login)))?;
            Ok(Some(Grant { value, ends: None, source }))
        }
        (Challenge::Basic, _) => Ok(None),
        (Challenge::Bearer { realm, service, scope }, credential) => {
            let server =
                TokenServer { realm, service: service.as_deref(), scope: scope.as_deref() };
            let start = sys::clock::monotonic();
            let token = token::get(http, endpoint, server, credential.as_ref(), &source)?;
            let value = header_value(subject, &format!("Bearer {}", token.token.reveal()))?;
            let ends = start.checked_add(token.life.saturating_sub(MARGIN));
            Ok(Some(Grant { value, ends, source }))
        }
    }
}

/// A header that is never shown.
pub(super) fn header_value(subject: Subject<'_>, text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| subject.protocol("grants what is no valid header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A panic of another thread leaves nothing half-done in here.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
