# Everything that is done with this repository on a machine of one's own. `make` alone tells what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
VENV := .venv/bin
STACK := $(VENV)/python -m hack.stack

.PHONY: help install environment tools up down status logs clean-state smoke check test lint soak bench bench-events bench-audit bench-operator bench-login bench-learning bench-assessment bench-dashboard bench-notification bench-runner gen fmt \
  images cluster cluster-down test-cluster bench-cluster

help: ## Show this help
	@awk 'BEGIN { FS = ":.*##" } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*##/ { printf "  make %-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ The local stack
up: environment ## Install what is missing, start everything, apply the sample course; IDENTITY=keycloak with a real Keycloak
	@$(STACK) up --identity $(or $(IDENTITY),local)

down: | $(VENV)/python ## Stop everything; the data are kept
	@$(STACK) down

status: | $(VENV)/python ## Show what runs, where, and what it holds
	@$(STACK) status || test $$? = 1  # 1 says that something does not serve

logs: | $(VENV)/python ## Follow the logs; S=NAME for one process
	@$(STACK) logs $(S)

clean-state: | $(VENV)/python ## Stop everything and delete its data
	@$(STACK) clean

smoke: environment ## Take a new learner through the sample course over REST
	@$(VENV)/python -m hack.smoke

##@ A kind cluster
images: environment ## Build the images with docker, podman or buildah
	@$(VENV)/python -m hack.images

cluster: environment ## Bring up kind, install the charts, apply the samples, run the smoke on pods
	@$(VENV)/python -m hack.kind up

test-cluster: environment ## Test images, charts and the platform in a kind cluster; CLUSTER=current takes your kubeconfig's
	@$(PYTHON) -m hack.install cluster
	@$(VENV)/pytest tests/cluster

cluster-down: | $(VENV)/python ## Delete the cluster; the machine is as it was before
	@$(VENV)/python -m hack.kind down

##@ Development
install: ## Install Debian packages, built tools, Keycloak and the Python environment
	@$(PYTHON) -m hack.install

check: tools lint ## Lint, unit and contract tests
	@$(VENV)/pytest tests/unit tests/contract -n 2

test: install check ## All that CI runs, on servers of its own
	@$(VENV)/pytest tests/integration tests/interop tests/e2e tests/chaos

soak: environment ## Prove over JOURNEYS=5000 journeys and KILLS=1000 deaths of the operator (SEED=) that nothing is lost or doubled
	@$(VENV)/python -m hack.chaos --journeys $(or $(JOURNEYS),5000) --seed $(or $(SEED),0)
	@$(VENV)/pytest tests/unit --hypothesis-profile explore -n 2
	@KOURSE_CHURN_KILLS=$(or $(KILLS),1000) KOURSE_CHURN_SEED=$(or $(SEED),0) $(VENV)/pytest tests/integration/operator/test_churn.py

tools: environment
	@$(PYTHON) -m hack.install tools

lint: environment ## Style, types, import directions, protos, drift of generated files
	@$(VENV)/python -m hack.lint

bench: environment ## Measure, with a calibration of the machine
	@$(VENV)/python -m hack.bench

bench-events: environment ## Measure the event backbone beside plain publishing, on servers of its own
	@$(VENV)/python -m hack.bench events

bench-audit: environment ## Measure what sealing the audit trail costs the acts
	@$(VENV)/python -m hack.bench audit

bench-operator: environment ## Measure the operator beside one in Go, on the same servers
	@$(VENV)/python -m hack.bench operator

bench-login: environment ## Measure log-ins in a storm, and what others notice of it
	@$(VENV)/python -m hack.bench login

bench-learning: environment ## Measure course pages, completed lessons and joining, with up to 100,000 learners
	@$(VENV)/python -m hack.bench learning

bench-assessment: environment ## Measure saved answers and a thousand attempts that end at once, with up to 100,000 learners
	@$(VENV)/python -m hack.bench assessment

bench-dashboard: environment ## Measure learners' and teachers' dashboards, kept and made, with up to 100,000 learners
	@$(VENV)/python -m hack.bench dashboard

bench-notification: environment ## Measure notices into feeds and to the mail relay, beside 10,000 at once
	@$(VENV)/python -m hack.bench notification
bench-runner: environment ## Measure the sandbox for learners' programs beside a process per test
	@$(VENV)/python -m hack.bench runner

bench-cluster: environment ## Measure installation and memory in a kind cluster
	@$(VENV)/python -m hack.bench cluster

gen: environment ## Generate what is generated: stubs, CRDs, schemas, templates
	@$(VENV)/python -m hack.gen

fmt: environment ## Format the code
	@$(VENV)/ruff format .
	@$(VENV)/ruff check --fix-only --quiet .

environment:
	@$(PYTHON) -m hack.install venv

$(VENV)/python:
	@$(PYTHON) -m hack.install venv
