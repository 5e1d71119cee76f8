# SPDX-License-Identifier: Apache-2.0
"""The training window, see tensorflowvisu.py: what stands here belongs to the process that trains, or to both."""
