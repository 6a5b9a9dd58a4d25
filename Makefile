PYTHON ?= python3

run test check bench fault:
	@exec $(PYTHON) dev.py $@

.PHONY: run test check bench fault
