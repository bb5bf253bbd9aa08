"""Every fault that must be survived has a test that bears its number.

The faults by number, each with the tests that provoke it: those of this folder first, then those that stand with the
part that they are about. tests/faults/test_table.py holds this table against the files.

 1 the switcher is killed around a step
   faults/test_switcher.py
     test_01_a_switcher_killed_in_the_middle_of_a_swap_goes_on_where_it_finds_things
     test_01_a_switcher_killed_in_mid_swap_and_the_control_plane_with_it
   store/test_swaps.py
     test_a_second_open_swap_is_impossible_and_harms_nothing
   core/test_move.py
     test_from_every_state_a_quiet_world_leads_to_an_end
   core/test_recovery.py
     test_whatever_happens_and_whenever_it_is_killed_a_move_ends_legally
     test_every_prefix_of_the_whole_way_can_be_taken_up_again
   swap/test_roles_are_killed.py
     test_each_role_is_back_at_once_and_a_swap_asked_for_meanwhile_is_done
 2 the switcher is stopped with the lock held
   faults/test_switcher.py
     test_02_a_stopped_switcher_holds_nobody_for_long_and_a_restart_by_supervisorctl_gets_it_going
     test_02_a_switcher_stopped_just_before_the_signal_looks_again_before_it_ends_a_session
   http/test_hooks.py
     test_a_hold_ends_when_its_time_is_over
     test_a_hold_ends_when_its_holder_dies
 3 the bus is killed and restarted in mid-swap
   faults/test_bus.py
     test_03_a_bus_killed_in_mid_stream_loses_nothing_unnoticed
   faults/test_live_bus.py
     test_03_a_bus_killed_and_restarted_in_mid_swap_delays_it_at_most
 4 a second bus
   faults/test_bus.py
     test_04_a_second_bus_is_refused_and_takes_no_endpoint
 5 the first event is lost
   faults/test_bus.py
     test_05_the_first_event_of_a_publisher_is_not_lost
   bus/test_bus.py
     test_what_is_sent_before_the_bus_runs_is_delivered_in_order
 6 a slow or stopped subscriber
   faults/test_bus.py
     test_06_a_listener_that_does_not_read_stops_nobody_and_sees_a_gap
   faults/test_live_bus.py
     test_06_roles_that_are_stopped_through_a_flood_stop_nobody_and_catch_up
   bus/test_bus.py
     test_a_gap_in_the_numbers_says_look
 7 garbage, oversized or deeply nested frames
   faults/test_bus.py
     test_07_frames_that_are_no_envelopes_are_dropped_and_counted
   faults/test_live_bus.py
     test_07_garbage_and_forgeries_on_the_live_bus_cost_no_role_its_life_and_change_nothing
 8 another local user connects
   faults/test_strangers.py
     test_08_another_user_of_the_host_can_read_nothing_tell_nothing_and_order_nothing
   http/test_gate.py
     test_sockets_and_token_are_the_operators_alone
   store/test_swaps.py
     test_the_store_is_the_operators_alone
 9 supervisord is killed
   faults/test_daemon.py
     test_09_a_role_does_not_outlive_its_parent
     test_09_no_role_outlives_its_supervisord_and_up_takes_over
   host/test_process.py
     test_a_parent_that_is_gone_already_is_noticed
10 two daemons on one host
   faults/test_daemon.py
     test_10_a_second_daemon_on_one_state_dir_is_refused_and_the_first_works_on
     test_10_a_second_daemon_on_the_same_shared_tree_is_told_who_holds_it_and_where
     test_10_a_second_process_of_one_role_is_refused_by_number_and_path
   host/test_lock.py
     test_the_second_is_refused_and_told_who_holds_it
   http/test_hooks.py
     test_a_second_control_plane_is_refused
11 lock files left by a power loss
   faults/test_daemon.py
     test_11_files_left_by_a_power_loss_lock_nobody_out
     test_11_a_state_dir_as_a_power_loss_left_it_is_taken_over_and_no_stranger_is_touched
12 a reused pid
   faults/test_numbers.py
     test_12_a_reused_number_is_not_the_process_that_had_it
     test_12_a_stranger_with_a_dead_sessions_number_is_left_alone_by_every_verb
     test_12_a_stranger_that_got_the_number_in_mid_move_is_not_signalled_and_the_session_comes_back
13 the tmux server is killed
   faults/test_tmux.py
     test_13_after_the_servers_end_each_session_is_reported_and_comes_back_with_its_history
14 the tmux server hangs
   faults/test_tmux.py
     test_14_a_hung_server_is_an_error_after_the_timeout
     test_14_a_server_that_hangs_in_mid_swap_delays_the_swap_and_nothing_else
15 a pane's process dies; a person closes a pane
   faults/test_persons.py
     test_15_a_session_that_a_person_killed_during_a_hold_stays_dead_and_is_reported
     test_15_a_session_that_a_person_closes_in_mid_move_stays_closed_and_the_record_says_so
   faults/test_tmux.py
     test_15_what_is_pasted_into_a_pane_whose_process_has_ended_harms_no_session
16 the disk is full
   faults/test_store.py
     test_16_a_full_disk_is_said_the_sessions_work_on_and_with_room_everything_goes_on
17 an fsync fails
   faults/test_store.py
     test_17_a_role_whose_disk_fails_a_sync_ends_and_never_tries_that_descriptor_again
18 the store is torn by a power loss
   faults/test_store.py
     test_18_a_log_torn_at_any_frame_costs_the_newest_events_and_nothing_else
     test_18_a_store_torn_at_any_page_is_whole_or_named_with_the_mend
     test_18_up_reports_a_torn_store_with_the_mend_and_the_sessions_go_on
   store/test_swaps.py
     test_what_is_no_store_of_ours_or_a_newer_one_is_refused
19 a truncated or half-written transcript line
   claude/test_transcript.py
     test_a_half_written_last_line_is_left_out
     test_every_prefix_of_a_real_transcript_can_be_read
20 a half-written task file
   faults/test_task_files.py
     test_20_a_task_file_that_is_being_written_is_taken_when_it_is_whole
     test_20_half_a_task_file_that_nobody_finishes_ends_in_failed_with_the_reason
   queue/test_inbox.py
     test_a_file_that_grows_is_not_taken_until_it_stands_still
     test_a_half_written_front_matter_is_given_time
21 10,000 task files at once
   faults/test_task_files.py
     test_21_ten_thousand_task_files_are_found_though_every_change_was_lost
   queue/test_inbox.py
     test_a_flood_is_taken_up_a_part_at_a_time_the_oldest_first
22 a symlink, FIFO, device or huge file where a file belongs
   faults/test_task_files.py
     test_22_what_is_no_plain_file_ends_in_failed_and_the_task_beside_it_is_done
   queue/test_inbox.py
     test_what_is_no_regular_file_is_refused_without_being_opened
     test_a_file_of_over_one_mebibyte_is_refused
   test_config.py
     test_what_is_no_regular_file_is_refused_at_once
23 hostile file names
   faults/test_task_files.py
     test_23_hostile_names_end_in_failed_and_nothing_of_them_is_typed_or_printed_raw
   queue/test_inbox.py
     test_a_name_that_could_do_something_is_refused
     test_a_name_that_is_not_utf_8_is_refused_and_shown_escaped
24 the clock jumps a day, either way
   faults/test_clock.py
     test_24_the_time_of_day_is_read_only_where_that_is_meant_and_local_time_only_to_show_it
     test_24_a_cool_down_lasts_as_long_as_it_lasts
     test_24_readings_that_come_after_a_jump_count
     test_24_a_request_that_a_jump_made_void_or_young_is_asked_again_or_served
     test_24_a_hold_lasts_as_long_as_it_lasts
     test_24_a_limit_that_is_met_after_a_jump_is_seen
     test_24_a_session_whose_state_nobody_knows_is_called_starting_for_half_a_minute
     test_24_a_task_has_run_as_long_as_it_has_run_and_the_janitor_comes_when_it_is_time
     test_24_a_transcript_of_the_future_is_of_before_the_clock_was_set_back
25 usage output is missing, garbled, of another version, or hangs
   faults/test_usage.py
     test_25_an_answer_that_is_missing_garbled_or_of_another_version_is_an_error_and_backs_off
     test_25_a_command_that_hangs_is_ended_and_the_role_goes_on_meanwhile
     test_25_a_command_is_not_killed_while_it_refreshes_its_login
     test_25_a_back_off_outlives_the_role_and_so_does_no_command
     test_25_the_operators_command_is_an_error_when_any_of_it_is_wrong
   claude/test_usage_command.py
     test_what_names_no_window_is_an_error_and_never_a_reading
     test_what_is_kept_in_another_shape_is_an_error_and_never_a_reading
     test_an_answer_of_before_the_question_is_none
   real/test_usage_command.py
     test_the_simulator_answers_as_the_real_cli_does
26 all accounts are exhausted
   faults/test_targets.py
     test_26_with_all_accounts_spent_it_waits_and_is_continued_at_the_earliest_reset
   core/test_homecoming.py
     test_what_a_limit_cut_off_is_continued_where_it_is_once_the_limit_has_passed
   core/test_policy.py
     test_when_all_are_spent_it_stays_and_says_until_when
27 usage flaps about the threshold
   faults/test_accounts.py
     test_27_usage_that_flaps_about_the_threshold_moves_the_pool_once_per_cool_down_and_never_back
   core/test_usage.py
     test_use_that_is_a_little_lower_is_no_fall
   core/test_policy.py
     test_between_two_swaps_lies_a_cool_down
28 the target turns out not to do
   faults/test_targets.py
     test_28_a_target_that_cannot_serve_after_all_is_left_for_another
     test_28_without_another_account_it_goes_back_to_where_it_came_from
   faults/test_switcher.py
     test_28_a_target_that_is_not_logged_in_is_refused_before_anything_is_stopped
   core/test_move.py
     test_the_first_turn_under_the_target_can_fail
29 a secret gets into something that we make
   faults/test_usage.py
     test_29_what_lies_about_in_files_environment_and_answers_gets_into_nothing_that_we_write_or_say
30 config, state dir or token open to others
   test_config.py
     test_a_file_that_others_can_write_is_refused
   http/test_gate.py
     test_a_token_that_others_can_read_stops_the_start
31 HTTP: no token, wrong Host, foreign Origin, traversal, GET
   http/test_gate.py
     test_reading_needs_the_token
     test_a_wrong_host_is_refused_even_with_the_token
     test_a_foreign_origin_is_refused_even_with_the_token
     test_no_route_leads_to_a_file
     test_a_get_changes_nothing
   http/test_tokens.py
     test_the_reading_token_reads_and_gives_no_order
     test_a_replaced_token_is_worth_nothing_at_once
   http/test_attacks.py
     test_a_head_that_can_be_read_in_two_ways_is_no_request
     test_what_is_no_request_is_answered_as_none
     test_a_body_that_is_no_order_is_refused_in_words
     test_what_a_form_of_another_page_could_send_is_no_order
     test_only_a_post_gives_an_order
     test_no_path_leads_to_a_file_or_out_of_the_routes
     test_connections_that_say_nothing_or_little_or_do_not_end_are_closed
     test_ten_thousand_connections_keep_nobody_out
32 a sink is down, then back
   queue/test_notifying.py
     test_nothing_is_lost_while_the_notifier_is_down
     test_a_sink_that_cannot_be_written_does_not_hold_the_others_up
33 a wrong or hostile configuration
   test_config.py
     test_a_wrong_file_is_refused_by_line_and_key
     test_an_alias_bomb_is_refused_before_it_unfolds
34 a session is busy for ever, waits, does not take its prompt
   faults/test_sessions.py
     test_34_a_session_that_is_busy_past_the_soft_deadline_stays_and_works_on
     test_34_a_session_that_waits_for_permission_stays_and_nothing_is_answered_for_its_person
     test_34_in_a_hurry_a_busy_session_is_cut_off_and_told_what_and_that_its_outcome_is_unknown
   core/test_move.py
     test_what_does_not_get_ready_is_given_up_and_said_so
   queue/test_dispatching.py
     test_a_prompt_that_was_not_taken_is_entered_once_more_and_then_taken_back
35 a reload with a broken configuration
   faults/test_reload.py
     test_35_a_reload_is_taken_by_every_role_in_its_own_process_and_names_what_changed
     test_35_a_reload_that_cannot_be_taken_changes_nothing_and_says_what_to_do
     test_35_roles_that_start_without_the_account_that_a_session_runs_on_leave_that_session_alone
   test_runtime.py
     test_a_reload_keeps_the_old_configuration_when_the_new_one_is_wrong
   http/test_gate.py
     test_a_reload_takes_the_new_configuration_and_keeps_the_old_when_it_is_wrong
36 a second limit before the first turn on the target ended
   faults/test_targets.py
     test_36_a_second_limit_before_the_first_answer_goes_on_to_the_next_account
     test_36_when_every_other_account_is_limited_it_works_on_where_it_came_from
   core/test_recovery.py
     test_a_second_limit_goes_on_to_the_next_account_and_then_waits
37 throttling is mistaken for a limit
   faults/test_accounts.py
     test_37_throttled_sessions_retry_or_fail_and_none_is_moved
   claude/test_ending.py
     test_throttling_is_an_error_and_no_limit
38 a person types while the session is being moved
   faults/test_switcher.py
     test_38_what_a_person_types_while_the_session_is_being_moved_arrives_once
39 a conversation is resumed elsewhere
   faults/test_persons.py
     test_39_a_conversation_that_is_open_elsewhere_is_not_moved
     test_39_a_conversation_that_a_person_opens_in_mid_move_is_the_persons
   core/test_move.py
     test_a_person_who_resumes_the_conversation_elsewhere_wins
41 the service manager stops the daemon
   faults/test_daemon.py
     test_41_sessions_notice_nothing_of_down_kill_and_up
     test_41_a_signal_to_the_daemons_whole_process_group_reaches_no_session
   faults/test_service_manager.py
     test_41_sessions_work_on_and_up_takes_them_over
42 a login ends in mid-week
   faults/test_targets.py
     test_42_an_account_whose_login_ends_within_the_hour_is_no_target
   quota/test_logins.py
     test_it_is_told_once_for_each_account_and_end
     test_a_binary_that_is_gone_is_no_end
"""
