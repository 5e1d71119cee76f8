# SPDX-License-Identifier: Apache-2.0
"""The rooms behind tensorflowvisu.py, whose docstring is their map."""
