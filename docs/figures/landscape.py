# SPDX-License-Identifier: Apache-2.0
"""The landscape of stage 1.0's loss, on a map of two directions, and the walks down into its valley. In numpy alone."""

